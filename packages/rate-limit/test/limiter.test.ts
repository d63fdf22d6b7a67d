import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { bucket, byKey, byUser, concurrency, createRateLimiter, window, type Mode } from "../src/index.ts";
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

describe("a limiter", () => {
  it("loses nothing at any limit when one of several limits denies", async () => {
    const { limiter } = made();
    let passed = 0;
    for (let call = 0; call < 100; call += 1) passed += (await limiter.consume("auth", user)).allowed ? 1 : 0;
    expect(passed).toBe(10);
    expect((await limiter.check("auth", user)).limits).toMatchObject([
      { name: "auth-min", kind: "window", limit: 10, perMs: 60_000, remaining: 0 },
      { name: "auth-hour", kind: "window", limit: 30, perMs: 3_600_000, remaining: 20 },
    ]);
  });

  it("says in its decision what remains and for how long to wait", async () => {
    const { limiter, clock } = made();
    await limiter.consume("two", user);
    const last = await limiter.consume("two", user);
    expect(last).toMatchObject({ allowed: true, wouldAllow: true, via: "store", retryAfterMs: 0, blockedMs: 0 });
    expect(last.limits[0]).toMatchObject({ remaining: 0, retryAfterMs: 0 });
    const denied = await limiter.consume("two", user);
    expect(denied.allowed).toBe(false);
    expect(denied.retryAfterMs).toBe(last.limits[0]?.nextMs);
    await clock.advance(denied.retryAfterMs - 1);
    expect((await limiter.check("two", user)).allowed).toBe(false);
    await clock.advance(1);
    expect((await limiter.consume("two", user)).allowed).toBe(true);
  });

  it("asks nothing of its store while it is off", async () => {
    let mode: Mode = "off";
    const { limiter, store } = made({ mode: () => mode });
    for (let call = 0; call < 1000; call += 1) {
      expect(await limiter.consume("two", user)).toMatchObject({ allowed: true, via: "off", limits: [] });
    }
    expect((await limiter.consumeAll([{ policy: "two", subject: user }])).via).toBe("off");
    expect(store.calls).toEqual([]);
    mode = "enforce";
    for (let call = 0; call < 3; call += 1) await limiter.consume("two", user);
    expect((await limiter.consume("two", user)).allowed).toBe(false);
  });

  it("lets everything through in shadow mode, and tells what it would have denied", async () => {
    const events = heard();
    const { limiter } = made({ mode: "shadow" });
    const decisions = [];
    for (let call = 0; call < 3; call += 1) decisions.push(await limiter.consume("two", user));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true]);
    expect(decisions.map(({ wouldAllow }) => wouldAllow)).toEqual([true, true, false]);
    expect(events.map((event) => event.type === "decision" && [event.allowed, event.shadow])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
  });

  it("may watch one policy while it enforces the others", async () => {
    const watched = { limits: window({ name: "new", limit: 1, per: "1m" }), mode: "shadow" as const };
    const { limiter } = made({ policies: { ...policies, watched } });
    const demands = [
      { policy: "two" as const, subject: user },
      { policy: "watched" as never, subject: user },
    ];
    const decisions = [];
    for (let call = 0; call < 3; call += 1) decisions.push(await limiter.consumeAll(demands));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false]);
  });

  it("decides about several subjects together", async () => {
    const { limiter, store } = made();
    const demands = [
      { policy: "tokens", subject: byKey("org_7"), cost: 60 },
      { policy: "two", subject: user },
    ] as const;
    expect((await limiter.consumeAll(demands)).allowed).toBe(true);
    const denied = await limiter.consumeAll(demands);
    expect(denied).toMatchObject({ allowed: false, retryAfterMs: 2000 });
    expect(store.calls).toEqual(["take", "take"]);
    expect((await limiter.check("two", user)).limits[0]?.remaining).toBe(1);
  });

  it("waits exactly as long as it must, and no longer than it may", async () => {
    const { limiter, clock } = made();
    await limiter.consume("tokens", user, { cost: 100 });
    const startedMs = clock.monotonic();
    const acquired = limiter.acquire("tokens", user, { cost: 25, maxWait: "5s" }).then((decision) => ({
      decision,
      tookMs: clock.monotonic() - startedMs,
    }));
    await clock.advance(10_000);
    expect(await acquired).toMatchObject({ decision: { allowed: true }, tookMs: 2500 });
    await limiter.consume("tokens", user, { cost: 75 });
    const tooLong = await limiter.acquire("tokens", user, { cost: 100, maxWait: 9999 });
    expect(tooLong).toMatchObject({ allowed: false, retryAfterMs: 10_000 });
    expect(clock.pendingTimers).toBe(0);
  });

  it("takes a slot soon after it is released, and waits for one no longer than it may", async () => {
    const clock = createFakeClock();
    const policy = concurrency({ limit: 1, lease: "5m" });
    const jobs = createRateLimiter({ policies: { jobs: policy }, store: fakeStore({ clock }), clock });
    const first = await jobs.consume("jobs", user);
    const startedMs = clock.monotonic();
    const second = jobs.acquire("jobs", user, { maxWait: "30s" }).then((decision) => ({
      decision,
      tookMs: clock.monotonic() - startedMs,
    }));
    await clock.advance(2000);
    await first.release();
    await clock.advance(1000);
    const { decision, tookMs } = await second;
    expect([decision.allowed, tookMs <= 2100]).toEqual([true, true]);
    const third = jobs.acquire("jobs", user, { maxWait: "3s" });
    await clock.advance(3000);
    expect((await third).allowed).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it("stops waiting when its caller does", async () => {
    const { limiter, clock, store } = made();
    await limiter.consume("tokens", user, { cost: 100 });
    const leaving = new AbortController();
    const acquired = limiter.acquire("tokens", user, { cost: 50, signal: leaving.signal });
    await clock.advance(1000);
    leaving.abort(new Error("gone"));
    await expect(acquired).rejects.toThrow("gone");
    expect(clock.pendingTimers).toBe(0);
    await expect(limiter.consume("two", user, { signal: leaving.signal })).rejects.toThrow("gone");
    expect(store.calls).toEqual(["take", "take"]);
  });

  it("gives everybody who waits a turn", async () => {
    const { limiter, clock } = made({
      policies: { ...policies, tokens: bucket({ capacity: 1, refill: 1, every: 100 }) },
    });
    const done: number[] = [];
    const waiting = Array.from({ length: 5 }, async () => {
      await limiter.acquire("tokens", user, { maxWait: "1m" });
      done.push(clock.monotonic());
    });
    await clock.advance(1000);
    await Promise.all(waiting);
    expect(done).toEqual([0, 100, 200, 300, 400]);
  });
});
