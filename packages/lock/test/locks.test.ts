import { describe, expect, it } from "vitest";

import { createLocks, type HeldLock } from "../src/index.ts";
import { codeOf, fixture, turn } from "./support.ts";

describe("locks", () => {
  it("run the work of one holder at a time, first come, first served", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock });
    const order: number[] = [];
    let inside = 0;
    const works = [1, 2, 3, 4, 5].map((number) =>
      locks.withLock("a", async () => {
        inside += 1;
        expect(inside).toBe(1);
        await turn();
        order.push(number);
        inside -= 1;
      }),
    );
    await Promise.all(works);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    // One contender per process: each asked the store once.
    expect(store.calls.filter((call) => call === "acquire")).toHaveLength(5);
  });

  it("of two processes exclude each other, and the second is woken at the release", async () => {
    const { clock, store } = fixture();
    const one = createLocks({ store, clock });
    const other = createLocks({ store, clock });
    const held = await one.acquire("a");
    const waiting = other.acquire("a");
    await turn();
    const beforeMs = clock.monotonic();
    await held.release();
    await (await waiting).release();
    expect(clock.monotonic()).toBe(beforeMs);
  });

  it("tell a busy lock from everything else", async () => {
    const { clock, store, events } = fixture();
    const locks = createLocks({ store, clock });
    await using held = await createLocks({ store, clock }).acquire("a");
    const refused = locks.acquire("a", { waitMs: 300 });
    refused.catch(() => undefined);
    await clock.advance(300);
    await expect(refused).rejects.toMatchObject({
      code: "ERR_SLUICE_LOCK_BUSY",
      keys: ["a"],
      waitedMs: 300,
      reason: "held",
      message: 'The lock on "a" is busy (held), waited 300 ms. Nothing is held.',
    });
    expect(await locks.tryAcquire("a")).toBeUndefined();
    expect(events.filter(({ type }) => type === "busy")).toHaveLength(2);
    expect(held.remainingMs()).toBeGreaterThan(0);
  });

  it("refuse whoever comes while too many of this process wait", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock, maxWaiting: 2 });
    const held = await locks.acquire("a");
    const waiting = [locks.acquire("a"), locks.acquire("a")];
    await expect(locks.acquire("a")).rejects.toMatchObject({ reason: "queue-full" });
    expect(await locks.tryAcquire("a")).toBeUndefined();
    // Another key has another queue.
    await (await locks.acquire("b")).release();
    await held.release();
    for (const next of waiting) await (await next).release();
  });

  it("count as waiting who wants what another process has, whatever their keys", async () => {
    const { clock, store } = fixture();
    const [one, other] = [createLocks({ store, clock }), createLocks({ store, clock, maxWaiting: 2 })];
    const held = await one.acquire(["a", "b", "c"]);
    const waiting = [other.acquire("a"), other.acquire("b")];
    await turn();
    expect(await codeOf(other.acquire("c"))).toBe("ERR_SLUICE_LOCK_BUSY");
    expect(await codeOf(other.acquire("b"))).toBe("ERR_SLUICE_LOCK_BUSY");
    await held.release();
    for (const next of waiting) await (await next).release();
    // Nobody waits any more, so there is room again.
    const again = await one.acquire("c");
    const last = other.acquire("c");
    await turn();
    await again.release();
    await (await last).release();
  });

  it("take several keys in one order, so that nobody waits for each other", async () => {
    const { clock, store } = fixture();
    const one = createLocks({ store, clock });
    const other = createLocks({ store, clock });
    let inside = 0;
    const pairs = [["a", "b"], ["b", "a"], ["b", "c", "b"], ["c", "a"], ["a"], ["c"]];
    const works = Array.from({ length: 60 }, (_, number) =>
      (number % 2 === 0 ? one : other).withLock(pairs[number % pairs.length] ?? [], async ({ keys }) => {
        inside += 1;
        expect(keys).toEqual([...new Set(keys)].toSorted());
        await turn();
        inside -= 1;
      }),
    );
    await Promise.all(works);
    expect(inside).toBe(0);
    expect(await one.tryAcquire(["a", "b", "c"])).toBeDefined();
  });

  it("let a caller leave by its signal, waiting behind this process or another", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock });
    const held = await locks.acquire("a");
    for (const waiter of [locks, createLocks({ store, clock })]) {
      const leaving = new AbortController();
      const waiting = waiter.acquire("a", { signal: leaving.signal });
      await turn();
      leaving.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
    }
    await expect(locks.acquire("b", { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    await held.release();
    await (await locks.acquire("a", { waitMs: 0 })).release();
  });

  it("hand the result and the error of the work through", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock });
    expect(await locks.withLock("a", () => 7)).toBe(7);
    await expect(locks.withLock("a", () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    expect(await locks.tryAcquire("a")).toBeDefined();
  });

  it("outlive a crashed holder by its lease and no longer", async () => {
    const { clock, store } = fixture();
    await store.acquire({ keys: ["a"], owner: "crashed", leaseMs: 500 });
    const waiting = createLocks({ store, clock }).acquire("a");
    await clock.advance(499);
    await turn();
    expect(await createLocks({ store, clock }).tryAcquire("a")).toBeUndefined();
    await clock.advance(2);
    expect((await waiting).remainingMs()).toBeGreaterThan(0);
  });

  it("ask again at least every poll when no store tells of a release", async () => {
    const { clock, store } = fixture();
    const deaf = { ...store, watch: () => ({ close: () => undefined }) };
    const held = await createLocks({ store, clock }).acquire("a");
    let got: HeldLock | undefined;
    void createLocks({ store: deaf, clock, pollMs: 40 })
      .acquire("a")
      .then((lock) => (got = lock));
    await turn();
    await held.release();
    await clock.advance(40);
    expect(got).toBeDefined();
  });

  it.each([
    [[], "a key or 1 to 1000"],
    ["", "text of 1 to 512"],
    ["x".repeat(513), "text of 1 to 512"],
    ["a\0b", "without NUL"],
    ["\ud800", "well-formed"],
    [["a", 7], "text of 1 to 512"],
    [Array.from({ length: 1001 }, (_, number) => `${number}`), "a key or 1 to 1000"],
  ])("refuse the keys %j before anything is asked", async (keys, message) => {
    const { clock, store } = fixture();
    const refused = createLocks({ store, clock }).acquire(keys as string[]);
    await expect(refused).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
    await expect(refused).rejects.toThrow(message);
    expect(store.calls).toEqual([]);
  });

  it.each([
    { leaseMs: 99 },
    { leaseMs: 100.5 },
    { leaseMs: Number.NaN },
    { leaseMs: 86_400_001 },
    { waitMs: -1 },
    { waitMs: Infinity },
    { pollMs: 0 },
    { maxWaiting: -1 },
    { maxWaiting: 1.5 },
    { onStoreError: "ignore" as "allow" },
  ])("refuse %j, naming the option", (options) => {
    expect(() => createLocks(options)).toThrow(expect.objectContaining({ argument: Object.keys(options)[0] }));
  });

  it("refuse impossible times of a call", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock });
    expect(await codeOf(locks.acquire("a", { leaseMs: 0 }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(await codeOf(locks.acquire("a", { waitMs: Number.NaN }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(store.calls).toEqual([]);
  });
});
