import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import {
  bucket,
  byUser,
  concurrency,
  createRateLimiter,
  fixedWindow,
  rateLimitBody,
  rateLimitHeaders,
  retryAfterSeconds,
  window,
} from "../src/index.ts";

const user = byUser("42");
const clock = createFakeClock({ nowMs: 1_800_000_000_000 });

function made() {
  return createRateLimiter({
    clock,
    policies: {
      auth: [window({ name: "auth-min", limit: 2, per: "1m" }), window({ name: "auth-hour", limit: 30, per: "1h" })],
      fast: fixedWindow({ limit: 1, per: 300 }),
      action: bucket({ capacity: 10, refill: 1, every: "6s" }),
      slots: concurrency({ limit: 5, lease: "30s" }),
    },
  });
}

describe("headers", () => {
  it("list every limit and what is left of it, as draft 10 has it", async () => {
    const limiter = made();
    expect(rateLimitHeaders(await limiter.consume("auth", user))).toEqual({
      "ratelimit-policy": '"auth-min";q=2;w=60, "auth-hour";q=30;w=3600',
      ratelimit: '"auth-min";r=1, "auth-hour";r=29',
    });
    expect(rateLimitHeaders(await limiter.consume("auth", user))).toEqual({
      "ratelimit-policy": '"auth-min";q=2;w=60, "auth-hour";q=30;w=3600',
      ratelimit: '"auth-min";r=0;t=90, "auth-hour";r=28',
    });
    expect(rateLimitHeaders(await limiter.consume("auth", user))).toEqual({
      "ratelimit-policy": '"auth-min";q=2;w=60, "auth-hour";q=30;w=3600',
      ratelimit: '"auth-min";r=0;t=90, "auth-hour";r=28',
      "retry-after": "90",
      "cache-control": "no-store",
    });
  });

  it("tell short windows, buckets and slots in their own terms", async () => {
    const limiter = made();
    expect(rateLimitHeaders(await limiter.consume("fast", user))).toEqual({
      "ratelimit-policy": '"fast";q=1;w=1',
      ratelimit: '"fast";r=0;t=1',
    });
    expect(rateLimitHeaders(await limiter.consume("action", user))["ratelimit-policy"]).toBe('"action";q=10;w=60');
    expect(rateLimitHeaders(await limiter.consume("slots", user))).toEqual({
      "ratelimit-policy": '"slots";q=5;qu="concurrent-requests"',
      ratelimit: '"slots";r=4',
    });
  });

  it("may be those of old, about the tightest limit", async () => {
    const limiter = made();
    expect(rateLimitHeaders(await limiter.consume("auth", user, { cost: 2 }), { version: "legacy", clock })).toEqual({
      "x-ratelimit-limit": "2",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "1800000090",
    });
  });

  it("may be left out, except for what a denial needs", async () => {
    const limiter = made();
    expect(rateLimitHeaders(await limiter.consume("fast", user), { version: "off" })).toEqual({});
    expect(rateLimitHeaders(await limiter.consume("fast", user), { version: "off" })).toEqual({
      "retry-after": "1",
      "cache-control": "no-store",
    });
  });

  it("say nothing where nothing was counted", async () => {
    const limiter = createRateLimiter({ policies: { p: window({ limit: 1, per: 1 }) }, mode: "off" });
    const decision = await limiter.consume("p", user);
    expect([rateLimitHeaders(decision), rateLimitHeaders(decision, { version: "legacy" })]).toEqual([{}, {}]);
  });
});

describe("the body of a 429", () => {
  it("has the seconds of its Retry-After, rounded up and never 0", async () => {
    const limiter = made();
    await limiter.consume("action", user, { cost: 10 });
    const denied = await limiter.consume("action", user, { cost: 2 });
    expect(JSON.stringify(rateLimitBody(denied, "trace-1"))).toBe(
      '{"ok":false,"error":{"code":"RATE_LIMITED","retry_after_seconds":12},"trace_id":"trace-1"}',
    );
    expect(rateLimitHeaders(denied)["retry-after"]).toBe("12");
    expect([0, 1, 999, 1000, 1001].map(retryAfterSeconds)).toEqual([1, 1, 1, 1, 2]);
  });
});
