import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { bucket, byUser, createRateLimiter, window, type OnStoreError } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";
import { heard } from "./heard.ts";

const user = byUser("42");
const error = new Error("away");

function made(onStoreError: OnStoreError, instances = 1) {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  const limiter = createRateLimiter({
    clock,
    store,
    onStoreError,
    instances,
    policies: {
      eight: window({ limit: 8, per: "1m" }),
      tokens: bucket({ capacity: 8, refill: 1, every: "1s" }),
      strict: { limits: window({ limit: 8, per: "1m" }), onStoreError: "deny" },
    },
  });
  return { clock, store, limiter };
}

describe("when the store fails", () => {
  it("calls pass uncounted by default, each with an event", async () => {
    const events = heard();
    const { limiter, store } = made("allow");
    store.failure = error;
    expect(await limiter.consume("eight", user)).toMatchObject({
      allowed: true,
      wouldAllow: true,
      via: "open",
      limits: [],
    });
    expect(events.map(({ type }) => type)).toEqual(["store-error", "decision"]);
    expect(events[0]).toEqual({ type: "store-error", policy: "eight", action: "allow", error });
    store.failure = undefined;
    expect((await limiter.consume("eight", user)).limits[0]?.remaining).toBe(7);
  });

  it("and the policy says deny, calls are refused by an error", async () => {
    const { limiter, store } = made("allow");
    store.failure = error;
    await expect(limiter.consume("strict", user)).rejects.toMatchObject({
      code: "ERR_SLUICE_RATE_LIMIT_UNAVAILABLE",
      policy: "strict",
      cause: error,
    });
    const demands = [
      { policy: "eight", subject: user },
      { policy: "strict", subject: user },
    ] as const;
    await expect(limiter.consumeAll(demands)).rejects.toMatchObject({ policy: "eight+strict" });
  });

  it("and the policy says local, this process counts to its share of the limit", async () => {
    const { limiter, store, clock } = made("local", 4);
    store.failure = error;
    const passed = { eight: 0, tokens: 0 };
    for (let call = 0; call < 10; call += 1) {
      for (const policy of ["eight", "tokens"] as const) {
        const decision = await limiter.consume(policy, user);
        passed[policy] += decision.allowed ? 1 : 0;
        expect(decision.via).toBe("local");
      }
    }
    expect(passed).toEqual({ eight: 2, tokens: 2 });
    // A quarter of a token a second.
    await clock.advance(3999);
    expect((await limiter.consume("tokens", user)).allowed).toBe(false);
    await clock.advance(1);
    expect((await limiter.consume("tokens", user)).allowed).toBe(true);
  });

  it("what was counted here is corrected here", async () => {
    const { limiter, store } = made("local");
    store.failure = error;
    const decision = await limiter.consume("eight", user, { cost: 8 });
    expect(await decision.settle(2)).toBe(true);
    expect((await limiter.check("eight", user)).limits[0]?.remaining).toBe(6);
  });

  it("blocks and overrides of this process hold here, too, once the store knows of them", async () => {
    const { limiter, store } = made("local", 2);
    await limiter.override("eight", user, { limit: 4, for: "1h" });
    store.failure = error;
    expect((await limiter.consume("eight", user)).limits[0]).toMatchObject({ limit: 2, remaining: 1 });
    await expect(limiter.block(user, "1h")).rejects.toThrow("away");
    expect((await limiter.consume("eight", user)).allowed).toBe(true);
  });

  it("a caller who has left gets their own reason, whatever the policy says", async () => {
    const { limiter, store } = made("allow");
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    store.failure = error;
    const leaving = new AbortController();
    const call = limiter.consume("eight", user, { signal: leaving.signal });
    leaving.abort(new Error("gone"));
    resolve();
    await expect(call).rejects.toThrow("gone");
  });
});
