import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { bucket, byUser, concurrency, createRateLimiter, window } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";
import { heard } from "./heard.ts";

const user = byUser("42");
const policies = {
  auth: [window({ name: "auth-min", limit: 10, per: "1m" }), window({ name: "auth-hour", limit: 30, per: "1h" })],
  two: window({ limit: 2, per: "1m" }),
  tokens: bucket({ capacity: 100, refill: 10, every: "1s" }),
  slots: concurrency({ limit: 2, lease: "30s" }),
};

function made(options: object = {}) {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  return { clock, store, limiter: createRateLimiter({ policies, store, clock, ...options }) };
}

describe("a decision", () => {
  it("is refunded once, in the window in which it was counted", async () => {
    const { limiter, clock } = made();
    const decision = await limiter.consume("auth", user, { cost: 5 });
    expect(await decision.refund()).toBe(true);
    expect(await decision.refund()).toBe(true);
    expect((await limiter.check("auth", user)).limits.map(({ remaining }) => remaining)).toEqual([10, 30]);
    const late = await limiter.consume("auth", user, { cost: 5 });
    await clock.advance(7_200_000);
    await limiter.consume("auth", user, { cost: 3 });
    await late.refund();
    expect((await limiter.check("auth", user)).limits.map(({ remaining }) => remaining)).toEqual([7, 27]);
  });

  it("is corrected one correction after the other, so two refunds at a time are one", async () => {
    const { limiter } = made();
    const other = await limiter.consume("auth", user, { cost: 3 });
    const decision = await limiter.consume("auth", user, { cost: 5 });
    expect(await Promise.all([decision.refund(), decision.settle(0), decision.refund()])).toEqual([true, true, true]);
    expect((await limiter.check("auth", user)).limits.map(({ remaining }) => remaining)).toEqual([7, 27]);
    await Promise.all([other.settle(4), other.settle(1), other.settle(2)]);
    expect((await limiter.check("auth", user)).limits.map(({ remaining }) => remaining)).toEqual([8, 28]);
  });

  it("that is refunded again after the store has failed in between gives back what is left, and no more", async () => {
    const { limiter, store } = made();
    const friend = byUser("43");
    for (const subject of [user, friend]) await limiter.consume("tokens", subject, { cost: 10 });
    const decision = await limiter.consumeAll([
      { policy: "tokens", subject: user, cost: 20 },
      { policy: "tokens", subject: friend, cost: 20 },
    ]);
    store.failsFor = friend.key;
    expect(await decision.refund()).toBe(false);
    store.failsFor = undefined;
    expect(await decision.refund()).toBe(true);
    for (const subject of [user, friend]) {
      expect((await limiter.check("tokens", subject)).limits[0]?.remaining).toBe(90);
    }
  });

  it("is settled to what the call has cost, as often as that becomes known", async () => {
    const { limiter } = made();
    const decision = await limiter.consume("tokens", user, { cost: 20 });
    const remaining = async () => (await limiter.check("tokens", user)).limits[0]?.remaining;
    for (const [actual, left] of [
      [50, 50],
      [10, 90],
      [10, 90],
      [0, 100],
    ] as const) {
      expect(await decision.settle(actual)).toBe(true);
      expect(await remaining()).toBe(left);
    }
    await expect(decision.settle(-1)).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
    await expect(decision.settle(1.5)).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
  });

  it("that was denied, and one that was never counted, has nothing to correct", async () => {
    const { limiter, store } = made();
    for (let call = 0; call < 2; call += 1) await limiter.consume("two", user);
    const denied = await limiter.consume("two", user);
    const off = await createRateLimiter({ policies, mode: "off" }).consume("two", user);
    const before = store.calls.length;
    for (const decision of [denied, off]) {
      expect([await decision.settle(0), await decision.refund(), await decision.release()]).toEqual([
        false,
        false,
        false,
      ]);
      expect(await decision.renew()).toBe(false);
    }
    expect(store.calls.length).toBe(before);
  });

  it("holds its slot until it is released, or disposed of, and can renew it", async () => {
    const { limiter, clock } = made();
    const first = await limiter.consume("slots", user);
    {
      await using second = await limiter.consume("slots", user);
      expect(second.allowed).toBe(true);
      const denied = await limiter.consume("slots", user);
      expect(denied).toMatchObject({ allowed: false, retryAfterMs: 30_000 });
    }
    expect((await limiter.check("slots", user)).limits[0]?.remaining).toBe(1);
    await clock.advance(29_999);
    expect(await first.renew()).toBe(true);
    await clock.advance(29_999);
    expect((await limiter.check("slots", user)).limits[0]?.remaining).toBe(1);
    await clock.advance(1);
    expect(await first.renew()).toBe(false);
    expect(await first.release()).toBe(true);
    expect(await first.release()).toBe(true);
  });

  it("says when a correction was lost, and leaves what was spent", async () => {
    const events = heard();
    const { limiter, store } = made();
    const decision = await limiter.consume("two", user);
    store.failure = new Error("away");
    expect(await decision.refund()).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: "correction-lost", policy: "two" });
    store.failure = undefined;
    expect((await limiter.check("two", user)).limits[0]?.remaining).toBe(1);
    expect(await decision.refund()).toBe(true);
  });
});

describe("an operator", () => {
  it("blocks a subject and lifts the block", async () => {
    const { limiter, clock } = made();
    await limiter.block(user, "10m");
    expect(await limiter.consume("two", user)).toMatchObject({
      allowed: false,
      blockedMs: 600_000,
      retryAfterMs: 600_000,
    });
    expect(await limiter.inspect(user)).toMatchObject({ blockedMs: 600_000 });
    await limiter.unblock(user);
    expect((await limiter.consume("two", user)).allowed).toBe(true);
    await limiter.block(user, "1s");
    await clock.advance(1000);
    expect((await limiter.consume("two", user)).allowed).toBe(true);
  });

  it("raises a limit for one subject without a restart, and takes it back", async () => {
    const { limiter } = made();
    for (let call = 0; call < 3; call += 1) await limiter.consume("two", user);
    await limiter.override("two", user, { limit: 5, for: "1d" });
    expect((await limiter.consume("two", user)).limits[0]).toMatchObject({ limit: 5, remaining: 2 });
    await limiter.override("auth", user, { name: "auth-hour", limit: 60, for: "1d" });
    expect((await limiter.inspect(user)).overrides.map(({ name, limit }) => [name, limit])).toEqual([
      ["two", 5],
      ["auth-hour", 60],
    ]);
    await limiter.override("two", user, undefined);
    expect((await limiter.consume("two", user)).allowed).toBe(false);
    await limiter.override("auth", user, { name: "auth-hour" });
    expect((await limiter.inspect(user)).overrides).toEqual([]);
  });

  it("resets one policy, or everything", async () => {
    const { limiter } = made();
    for (let call = 0; call < 3; call += 1) await limiter.consume("two", user);
    await limiter.consume("auth", user);
    await limiter.reset(user, "two");
    expect((await limiter.consume("two", user)).limits[0]?.remaining).toBe(1);
    expect((await limiter.check("auth", user)).limits[0]?.remaining).toBe(9);
    await limiter.reset(user);
    expect((await limiter.inspect(user)).counters).toEqual([]);
  });

  it("sees the policies, and hears every decision", async () => {
    const events = heard();
    const { limiter } = made();
    expect(limiter.policies.auth.map(({ name, field }) => [name, field])).toEqual([
      ["auth-min", "w1:auth-min@60000"],
      ["auth-hour", "w1:auth-hour@3600000"],
    ]);
    await limiter.consume("two", user);
    expect(events).toEqual([
      {
        type: "decision",
        policy: "two",
        key: "rate:user:42",
        cost: 1,
        allowed: true,
        via: "store",
        retryAfterMs: 0,
        shadow: false,
      },
    ]);
  });
});
