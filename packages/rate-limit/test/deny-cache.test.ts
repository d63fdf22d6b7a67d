import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { bucket, byUser, concurrency, createRateLimiter, window } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";

const user = byUser("42");

function made(denyCache = 10_000) {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  const policies = {
    minute: window({ limit: 1, per: "1m" }),
    tokens: bucket({ capacity: 10, refill: 1, every: 300 }),
    slots: concurrency({ limit: 1, lease: "1m" }),
  };
  return { clock, store, limiter: createRateLimiter({ policies, store, clock, denyCache }) };
}

describe("a denial that is remembered", () => {
  it("keeps a flood of a denied client to one question a second, and its wait does not grow", async () => {
    const { limiter, store, clock } = made();
    await limiter.consume("minute", user);
    const { retryAfterMs } = await limiter.consume("minute", user);
    const before = store.calls.length;
    for (let tick = 0; tick < 500; tick += 1) {
      const decision = await limiter.consume("minute", user);
      expect([decision.allowed, decision.retryAfterMs]).toEqual([false, retryAfterMs - tick * 10]);
      expect(decision.limits[0]?.retryAfterMs).toBe(decision.retryAfterMs);
      await clock.advance(10);
    }
    expect(store.calls.length - before).toBe(4);
  });

  it("never outlives the exact wait", async () => {
    const { limiter, clock } = made();
    await limiter.consume("tokens", user, { cost: 10 });
    for (let token = 0; token < 10; token += 1) {
      const { via, retryAfterMs } = await limiter.consume("tokens", user);
      expect(via).toBe("store");
      await clock.advance(retryAfterMs - 1);
      expect(await limiter.consume("tokens", user)).toMatchObject({
        allowed: false,
        via: "deny-cache",
        retryAfterMs: 1,
      });
      await clock.advance(1);
      expect((await limiter.consume("tokens", user)).allowed).toBe(true);
    }
  });

  it("counts from before the store was asked, however late it answers", async () => {
    const { limiter, store, clock } = made();
    await limiter.consume("tokens", user, { cost: 10 });
    const { promise, resolve } = Promise.withResolvers<void>();
    store.late = promise;
    const denied = limiter.consume("tokens", user);
    await clock.advance(200);
    resolve();
    store.late = undefined;
    expect((await denied).retryAfterMs).toBe(300);
    await clock.advance(99);
    expect(await limiter.consume("tokens", user)).toMatchObject({ allowed: false, via: "deny-cache" });
    await clock.advance(1);
    expect((await limiter.consume("tokens", user)).allowed).toBe(true);
  });

  it("is only for calls of the same cost", async () => {
    const { limiter } = made();
    await limiter.consume("tokens", user, { cost: 8 });
    expect((await limiter.consume("tokens", user, { cost: 5 })).allowed).toBe(false);
    expect((await limiter.consume("tokens", user, { cost: 2 })).allowed).toBe(true);
    expect((await limiter.consume("tokens", user, { cost: 6 })).retryAfterMs).toBe(1800);
  });

  it("is forgotten when this process refunds, resets, unblocks or raises the limit", async () => {
    const { limiter } = made();
    const changes: readonly (() => Promise<unknown>)[] = [
      () => limiter.reset(user),
      () => limiter.reset(user, "minute"),
      () => limiter.override("minute", user, { limit: 100, for: "1h" }),
    ];
    for (const change of changes) {
      await limiter.consume("minute", user);
      expect((await limiter.consume("minute", user)).allowed).toBe(false);
      await change();
      expect((await limiter.consume("minute", user)).allowed).toBe(true);
    }
    const other = byUser("43");
    const decision = await limiter.consume("minute", other);
    expect((await limiter.consume("minute", other)).allowed).toBe(false);
    await decision.refund();
    expect((await limiter.consume("minute", other)).allowed).toBe(true);
    await limiter.block(byUser("44"), "1h");
    expect((await limiter.consume("minute", byUser("44"))).allowed).toBe(false);
    await limiter.unblock(byUser("44"));
    expect((await limiter.consume("minute", byUser("44"))).allowed).toBe(true);
  });

  it("is never one of slots, which may be released at any moment", async () => {
    const { limiter } = made();
    const held = await limiter.consume("slots", user);
    expect((await limiter.consume("slots", user)).via).toBe("store");
    expect((await limiter.consume("slots", user)).via).toBe("store");
    await held.release();
    expect((await limiter.consume("slots", user)).allowed).toBe(true);
  });

  it("is bounded: the oldest gives way, and the store is asked again", async () => {
    const { limiter, store } = made(2);
    for (const id of ["a", "b", "c"])
      for (let call = 0; call < 2; call += 1) await limiter.consume("minute", byUser(id));
    const before = store.calls.length;
    expect((await limiter.consume("minute", byUser("c"))).via).toBe("deny-cache");
    expect((await limiter.consume("minute", byUser("b"))).via).toBe("deny-cache");
    expect((await limiter.consume("minute", byUser("a"))).via).toBe("store");
    expect(store.calls.length - before).toBe(1);
    const none = made(0);
    for (let call = 0; call < 3; call += 1) await none.limiter.consume("minute", user);
    expect(none.store.calls.length).toBe(3);
  });
});
