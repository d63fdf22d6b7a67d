import { randomUUID } from "node:crypto";

import { connectRedis } from "@sluice/redis/ioredis";
import { checkLaw, createFakeClock } from "@sluice/testing";
import { service } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";

import { byUser, createRateLimiter, window, type RateLimitStore } from "../src/index.ts";
import { storeLaws } from "../src/laws/index.ts";
import { redisStore } from "../src/redis.ts";
import { commandsOn, getThenIncr } from "./get-then-incr.ts";

function client(): Ioredis {
  const redis = new Ioredis(service("redis").url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** How many of 500 calls at once get in at a limit of 10. */
async function admittedAtOnce(store: RateLimitStore): Promise<number> {
  const limiter = createRateLimiter({ store, policies: { buy: window({ limit: 10, per: "60s" }) } });
  const user = byUser(randomUUID());
  const decisions = await Promise.all(Array.from({ length: 500 }, () => limiter.consume("buy", user)));
  return decisions.filter(({ allowed }) => allowed).length;
}

/** The call at which a client with one call a second is denied, at 5 calls in 2 seconds. */
async function lockedOutAt(store: RateLimitStore, stepWall: (ms: number) => void): Promise<number | undefined> {
  const limiter = createRateLimiter({ store, denyCache: 0, policies: { buy: window({ limit: 5, per: "2s" }) } });
  for (let call = 1; call <= 50; call += 1) {
    if (!(await limiter.consume("buy", byUser("slow"))).allowed) return call;
    stepWall(1000);
  }
  return undefined;
}

describe("a limiter that reads before it writes", () => {
  it("admits 500 of 500 at a limit of 10, where this one admits 10", async () => {
    const redis = client();
    const theirs = getThenIncr({
      get: (key) => redis.get(key),
      incr: (key) => redis.incr(key),
      expire: (key, seconds) => redis.expire(key, seconds),
    });
    expect(await admittedAtOnce(theirs)).toBe(500);
    await using ours = connectRedis({ url: service("redis").url, deadlineMs: 10_000 });
    expect(await admittedAtOnce(redisStore(ours, { deadlineMs: 10_000 }))).toBe(10);
  });

  it("locks out a slow client at its sixth call, where this one never does", async () => {
    const clock = createFakeClock();
    const step = (ms: number): void => clock.stepWall(ms);
    expect(await lockedOutAt(getThenIncr(commandsOn(clock)), step)).toBe(6);
    await using ours = connectRedis({ url: service("redis").url, deadlineMs: 10_000 });
    const store = redisStore(ours, { clock, prefix: `${randomUUID()}:`, deadlineMs: 10_000 });
    expect(await lockedOutAt(store, step)).toBeUndefined();
  });

  it("breaks the law about slow clients", async () => {
    const law = storeLaws.find(({ title }) => title === "a slow steady client below the limit is never denied");
    if (!law) throw new Error("There is no such law.");
    await expect(checkLaw(law, ({ clock }) => getThenIncr(commandsOn(clock)))).rejects.toThrow("call 5");
  });
});
