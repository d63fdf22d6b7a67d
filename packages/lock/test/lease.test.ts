import { describe, expect, it, vi } from "vitest";

import { createLocks } from "../src/index.ts";
import { codeOf, down, fixture, hang, turn } from "./support.ts";

const leaseMs = 900;

describe("a lock that is held", () => {
  it("is extended every third of its lease, for as long as the work runs", async () => {
    const { clock, store } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    await clock.advance(leaseMs * 10);
    expect(store.calls.filter((call) => call === "extend")).toHaveLength(30);
    expect(held.remainingMs()).toBeGreaterThan(0);
    await held.release();
    await clock.advance(leaseMs);
    expect(store.calls.filter((call) => call === "extend")).toHaveLength(30);
  });

  it("knows for how long it is certainly held, less what clocks may differ", async () => {
    const { clock, store } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    expect(held.remainingMs()).toBe(leaseMs * 0.99 - 2);
    await held.release();
    expect(held.remainingMs()).toBe(0);
  });

  it("counts its lease from when it asked, not from when it was answered", async () => {
    const { clock, store } = fixture();
    const slow = {
      ...store,
      async acquire(request: Parameters<typeof store.acquire>[0]) {
        const answer = await store.acquire(request);
        await clock.advance(600);
        return answer;
      },
    };
    const held = await createLocks({ store: slow, clock, leaseMs }).acquire("a");
    expect(held.remainingMs()).toBe(leaseMs * 0.99 - 2 - 600);
  });

  it("survives a store that is away for less than the lease", async () => {
    const { clock, store, events } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    store.answer("extend", down);
    await clock.advance(600);
    expect(held.signal.aborted).toBe(false);
    store.answer("extend", undefined);
    await clock.advance(5000);
    expect(held.signal.aborted).toBe(false);
    expect(events.some(({ type }) => type === "extend-failed")).toBe(true);
  });

  it.each([
    ["refuses", down],
    ["hangs", hang],
  ])("is lost when the store %s for longer than the lease, and its work is told", async (_, how) => {
    const { clock, store, events } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    held.assertHeld();
    store.answer("extend", how);
    await clock.advance(leaseMs);
    expect(held.signal.reason).toMatchObject({ code: "ERR_SLUICE_LOCK_LOST", reason: "expired", keys: ["a"] });
    expect(() => held.assertHeld()).toThrow(expect.objectContaining({ code: "ERR_SLUICE_LOCK_LOST" }));
    expect(await held.extend()).toBe(false);
    expect(events.filter(({ type }) => type === "lost")).toHaveLength(1);
  });

  it("is lost at once when the store says that it is another's", async () => {
    const { clock, store } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    await store.release({ keys: ["a"], owner: held.owner });
    await store.acquire({ keys: ["a"], owner: "another", leaseMs });
    await clock.advance(leaseMs / 3);
    expect(held.signal.reason).toMatchObject({ reason: "taken" });
    await held.release();
    expect((await store.acquire({ keys: ["a"], owner: "third", leaseMs })).granted).toBe(false);
  });

  it("knows that it is lost after its process stood still, before any timer has fired", async () => {
    const { clock, store } = fixture();
    const stalled = { ...clock, schedule: () => ({ cancel: () => undefined }) };
    const held = await createLocks({ store, clock: stalled, leaseMs }).acquire("a");
    await clock.advance(leaseMs * 2);
    expect(held.signal.aborted).toBe(false);
    expect(held.remainingMs()).toBe(0);
    expect(() => held.assertHeld()).toThrow("Lost the lock");
    expect(await held.extend()).toBe(false);
    expect(store.calls).not.toContain("extend");
  });

  it("that is lost lets the next caller of this process go on", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock, leaseMs });
    const lost = await locks.acquire("a");
    const next = locks.acquire("a");
    store.answer("extend", down);
    await clock.advance(leaseMs);
    expect((await next).remainingMs()).toBeGreaterThan(0);
    await lost.release();
    expect((await store.acquire({ keys: ["a"], owner: "other", leaseMs })).granted).toBe(false);
  });

  it("that is released while the store is away fails nobody's result", async () => {
    const { clock, store, events } = fixture();
    store.answer("release", down);
    const locks = createLocks({ store, clock, leaseMs });
    expect(await locks.withLock("a", () => "done")).toBe("done");
    expect(events).toContainEqual(expect.objectContaining({ type: "release-failed", keys: ["a"] }));
    await clock.advance(leaseMs);
    expect(await locks.tryAcquire("a")).toBeDefined();
  });

  it("keeps the result of work that lost it, and lets the work ask", async () => {
    const { clock, store } = fixture();
    store.answer("extend", down);
    const result = await createLocks({ store, clock, leaseMs }).withLock("a", async (held) => {
      await clock.advance(leaseMs);
      return held.signal.aborted;
    });
    expect(result).toBe(true);
  });

  it("throws from no timer, whatever the store does", async () => {
    const { clock, store } = fixture();
    const uncaught = vi.fn<() => void>();
    process.on("unhandledRejection", uncaught);
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    store.answer("extend", () => {
      throw new Error("thrown, not rejected");
    });
    store.answer("release", down);
    await clock.advance(leaseMs * 2);
    await held.release();
    await turn();
    process.off("unhandledRejection", uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  });

  it("is released once, however often that is said", async () => {
    const { clock, store } = fixture();
    const held = await createLocks({ store, clock, leaseMs }).acquire("a");
    await Promise.all([held.release(), held.release(), held[Symbol.asyncDispose]()]);
    expect(store.calls.filter((call) => call === "release")).toHaveLength(1);
  });
});

describe("when the store cannot be asked", () => {
  it("a lock is denied, and what may have been granted is let go of", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock });
    store.answer("acquire", down);
    const refused = locks.acquire("a");
    await expect(refused).rejects.toMatchObject({ code: "ERR_SLUICE_LOCK_UNAVAILABLE", keys: ["a"] });
    await expect(refused).rejects.toThrow("unavailable");
    expect(store.calls).toEqual(["acquire", "release"]);
    store.answer("acquire", undefined);
    expect(await locks.tryAcquire("a")).toBeDefined();
  });

  it("work goes on without a lock where that is allowed, still one after the other in this process", async () => {
    const { clock, store, events } = fixture();
    store.answer("acquire", down);
    const locks = createLocks({ store, clock, onStoreError: "allow" });
    let inside = 0;
    const works = Array.from({ length: 3 }, () =>
      locks.withLock("a", async (held) => {
        inside += 1;
        expect(inside).toBe(1);
        expect(held.degraded).toBe(true);
        held.assertHeld();
        expect(await held.extend()).toBe(true);
        await turn();
        inside -= 1;
        return held.remainingMs();
      }),
    );
    expect(await Promise.all(works)).toEqual([Infinity, Infinity, Infinity]);
    expect(events.filter(({ type }) => type === "degraded")).toHaveLength(3);
  });

  it("whoever left by the signal gets its reason, not the store's error", async () => {
    const { clock, store } = fixture();
    const leaving = new AbortController();
    store.answer("acquire", async () => {
      leaving.abort(new Error("left"));
      return down();
    });
    const refused = createLocks({ store, clock, onStoreError: "allow" }).acquire("a", { signal: leaving.signal });
    await expect(refused).rejects.toThrow("left");
  });
});

describe("a fence", () => {
  it("gives the holder its tokens", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock, fence: { mint: async () => new Map([["a", 7n]]) } });
    expect((await locks.acquire("a")).tokens.get("a")).toBe(7n);
  });

  it("that cannot be asked denies the lock, and lets go of it", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock, onStoreError: "allow", fence: { mint: down } });
    expect(await codeOf(locks.acquire("a"))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    expect(store.calls).toEqual(["acquire", "release"]);
  });

  it("behind which an earlier holder still writes leaves the lock busy", async () => {
    const { clock, store } = fixture();
    const locks = createLocks({ store, clock, fence: { mint: async () => undefined } });
    await expect(locks.acquire("a")).rejects.toMatchObject({ code: "ERR_SLUICE_LOCK_BUSY", reason: "fence" });
    expect(store.calls).toEqual(["acquire", "release"]);
  });
});
