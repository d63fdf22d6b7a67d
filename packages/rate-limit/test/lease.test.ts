import { seededRandom, type Random } from "@sluice/core";
import { createFakeClock, testSeed } from "@sluice/testing";
import { describe, expect, it, onTestFinished } from "vitest";

import { bucket, byUser, createRateLimiter, rateLimitEvents, type RateLimitEvent } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";

const user = byUser("42");

interface Admitted {
  readonly atMs: number;
  readonly cost: number;
}

interface Shape {
  readonly capacity: number;
  readonly refill: number;
  readonly everyMs: number;
  readonly leaseMs: number;
}

/** Some processes on one store. */
function processes(count: number, { capacity, refill, everyMs, leaseMs }: Shape) {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  const limits = bucket({ capacity, refill, every: everyMs });
  const limiters = Array.from({ length: count }, () =>
    createRateLimiter({ clock, store, policies: { api: { limits, lease: leaseMs } } }),
  );
  return { clock, store, limiters };
}

function one(shape: Partial<Shape> = {}) {
  const all = processes(1, { capacity: 1000, refill: 100, everyMs: 1000, leaseMs: 1000, ...shape });
  const [limiter] = all.limiters;
  if (!limiter) throw new Error("There is no limiter.");
  return { ...all, limiter };
}

/** By how much some span that begins with the first call exceeds the bound. */
function excess(admitted: readonly Admitted[], { capacity, refill, everyMs, leaseMs }: Shape): number {
  const [first] = admitted;
  let spent = 0;
  let most = -Infinity;
  for (const { atMs, cost } of admitted) {
    spent += cost;
    most = Math.max(most, spent - capacity - (refill * (atMs - (first?.atMs ?? 0) + leaseMs)) / everyMs);
  }
  return most;
}

/** Random calls of all processes; returns when each admitted call was made, and its cost. */
async function admissions(random: Random, count: number, shape: Shape) {
  const { clock, limiters } = processes(count, shape);
  const admitted: Admitted[] = [];
  for (let tick = 0; tick < 120; tick += 1) {
    const burst = random.integer(0, 3) === 0 ? random.integer(1, 60) : 1;
    for (let call = 0; call < burst; call += 1) {
      const limiter = limiters[random.integer(0, count)];
      const cost = random.integer(1, 3);
      const decision = await limiter?.consume("api", user, { cost });
      if (decision?.allowed) admitted.push({ atMs: clock.monotonic(), cost });
    }
    // Long enough to fill the bucket now and then.
    await clock.advance(random.integer(0, 6) === 0 ? 700 : random.integer(0, 40));
  }
  return admitted;
}

describe("leased budget", () => {
  it("never exceeds capacity + rate * (span + lease), in any span, however many processes spend it", async () => {
    const random = seededRandom(testSeed());
    for (const count of [1, 4, 4, 4]) {
      const shape = { capacity: 60, refill: random.integer(1, 3), everyMs: 10, leaseMs: random.integer(10, 60) };
      const admitted = await admissions(random, count, shape);
      expect(admitted.length).toBeGreaterThan(20);
      expect(Math.max(...admitted.map((_, index) => excess(admitted.slice(index), shape)))).toBeLessThanOrEqual(0);
    }
  });

  it("is asked for less and less often by a busy process, and answers for itself", async () => {
    const { limiter, store } = one();
    const via = new Set<string>();
    for (let call = 0; call < 500; call += 1) via.add((await limiter.consume("api", user)).via);
    expect([...via]).toEqual(["lease"]);
    expect(store.calls.length).toBeLessThan(15);
  });

  it("ends with its lease: what is left is never used later", async () => {
    const { limiter, store, clock } = one({ refill: 1, everyMs: 1_000_000 });
    for (let call = 0; call < 20; call += 1) await limiter.consume("api", user);
    const before = store.calls.length;
    await limiter.consume("api", user);
    expect(store.calls.length).toBe(before);
    await clock.advance(1000);
    await limiter.consume("api", user);
    expect(store.calls.length).toBe(before + 1);
  });

  it("counts its time from before the store was asked", async () => {
    const { limiter, store, clock } = one({ refill: 1, everyMs: 1_000_000 });
    // Grants of 1, 2, 4 and 8 are used up.
    for (let call = 0; call < 15; call += 1) await limiter.consume("api", user);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.late = promise;
    const waiting = limiter.consume("api", user);
    await clock.advance(999);
    resolve();
    store.late = undefined;
    await waiting;
    const before = store.calls.length;
    await limiter.consume("api", user);
    expect(store.calls.length).toBe(before);
    await clock.advance(1);
    await limiter.consume("api", user);
    expect(store.calls.length).toBe(before + 1);
  });

  it("falls back to single calls near exhaustion, and denies no call that the bucket would let through", async () => {
    const { limiter, clock } = one({ capacity: 64, refill: 1, everyMs: 1000 });
    let passed = 0;
    for (let call = 0; call < 200; call += 1) passed += (await limiter.consume("api", user)).allowed ? 1 : 0;
    expect(passed).toBe(64);
    await clock.advance(1000);
    expect((await limiter.consume("api", user)).allowed).toBe(true);
    expect((await limiter.consume("api", user)).allowed).toBe(false);
  });

  it("is given back when the limiter is closed", async () => {
    const { limiter, store, clock } = one({ refill: 1, everyMs: 1_000_000 });
    for (let call = 0; call < 20; call += 1) await limiter.consume("api", user);
    const kept = async () => (await store.inspect(user.key)).counters[0]?.spent;
    expect(await kept()).toBeGreaterThan(20);
    await limiter[Symbol.asyncDispose]();
    expect(await kept()).toBe(20);
    await clock.advance(1);
    expect((await limiter.consume("api", user)).allowed).toBe(true);
  });

  it("takes refunds and settlements while it lives", async () => {
    const { limiter, store } = one({ refill: 1, everyMs: 1_000_000 });
    const calls = [];
    for (let call = 0; call < 10; call += 1) calls.push(await limiter.consume("api", user, { cost: 4 }));
    expect(await calls.at(-1)?.refund()).toBe(true);
    expect(await calls.at(-2)?.settle(50)).toBe(true);
    expect(await calls.at(0)?.refund()).toBe(false);
    await limiter.close();
    expect((await store.inspect(user.key)).counters[0]?.spent).toBe(10 * 4 - 4 + 46);
  });

  it("charges once for a call whose settlement had to be tried again", async () => {
    const { limiter, store } = one({ refill: 1, everyMs: 1_000_000 });
    const call = await limiter.consume("api", user);
    store.failure = new Error("away");
    expect(await call.settle(5)).toBe(false);
    store.failure = undefined;
    expect(await call.settle(5)).toBe(true);
    expect(await call.settle(5)).toBe(true);
    await limiter.close();
    expect((await store.inspect(user.key)).counters[0]?.spent).toBe(5);
  });

  it("is asked for once by all who wait for it", async () => {
    const { limiter, store } = one();
    const decisions = await Promise.all(Array.from({ length: 30 }, () => limiter.consume("api", user)));
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
    expect(store.calls.length).toBeLessThan(30);
  });

  it("obeys blocks of this process at once, and failures like any call", async () => {
    const events: RateLimitEvent[] = [];
    onTestFinished(rateLimitEvents.subscribe((event) => events.push(event)));
    const { limiter, store, clock } = one();
    for (let call = 0; call < 20; call += 1) await limiter.consume("api", user);
    await limiter.block(user, "1m");
    expect(await limiter.consume("api", user)).toMatchObject({ allowed: false, via: "store" });
    await clock.advance(60_000);
    store.failure = new Error("away");
    expect((await limiter.consume("api", user)).via).toBe("open");
    await expect(limiter.consume("api", user, { cost: 1001 })).resolves.toMatchObject({ via: "open" });
    store.failure = undefined;
    await expect(limiter.consume("api", user, { cost: 1001 })).rejects.toMatchObject({
      code: "ERR_SLUICE_COST_EXCEEDS_LIMIT",
    });
    expect(events.some(({ type }) => type === "store-error")).toBe(true);
  });
});
