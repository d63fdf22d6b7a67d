import type { Redis } from "@sluice/redis";
import { frozen } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it } from "vitest";

import { byUser, concurrency, createRateLimiter, window } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { heard } from "./heard.ts";
import { timed, until } from "./outcome.ts";
import { connected, ownServer, throughProxy } from "./servers.ts";

const user = byUser("42");
const hour = window({ limit: 100, per: "1h" });

function made(redis: Redis, deadlineMs = 50) {
  return createRateLimiter({
    store: redisStore(redis, { deadlineMs }),
    policies: {
      open: { limits: hour, onStoreError: "allow" },
      closed: { limits: hour, onStoreError: "deny" },
      own: { limits: hour, onStoreError: "local" },
      slots: concurrency({ limit: 1, lease: "1h" }),
    },
  });
}

/** What one server has counted. */
async function spent(redis: Redis): Promise<number> {
  return (await redisStore(redis).inspect(user.key)).counters[0]?.spent ?? 0;
}

describeNeeding({ redis: "real" }, "a failing Redis", () => {
  it("that refuses connections lets calls pass by default, and costs later calls no wait", async () => {
    const server = await ownServer();
    await server.stop();
    const events = heard();
    const limiter = made(connected({ url: server.url }));
    expect(await limiter.consume("open", user)).toMatchObject({ allowed: true, via: "open" });
    const ms = await timed(async () => {
      for (let call = 0; call < 1000; call += 1) await limiter.consume("open", user);
    });
    expect(ms / 1000).toBeLessThan(2);
    expect(events.filter(({ type }) => type === "store-error").length).toBe(1001);
    await expect(limiter.consume("closed", user)).rejects.toMatchObject({ code: "ERR_SLUICE_RATE_LIMIT_UNAVAILABLE" });
    expect((await limiter.consume("own", user)).limits[0]?.remaining).toBe(99);
  });

  it("that is frozen costs three calls their deadline and later ones nothing", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url, probeMs: 60_000 });
    const limiter = made(redis);
    await until(async () => (await limiter.consume("open", user)).via === "store");
    await frozen(server.pid, async () => {
      for (let call = 0; call < 3; call += 1) {
        const ms = await timed(async () => expect((await limiter.consume("open", user)).via).toBe("open"));
        expect(ms).toBeGreaterThan(45);
        expect(ms).toBeLessThan(1000);
      }
      const ms = await timed(async () => {
        for (let call = 0; call < 100; call += 1) await limiter.consume("open", user);
      });
      expect(ms).toBeLessThan(45);
    });
    await until(async () => (await limiter.consume("open", user)).via === "store");
  });

  it("that resets the connection mid-call has counted the call once or not at all", async () => {
    const { proxy, redis, direct } = await throughProxy();
    const limiter = made(redis, 5000);
    await limiter.consume("open", user);
    const silence = proxy.blackhole({ direction: "replies" });
    const call = limiter.consume("open", user);
    await until(async () => (await spent(direct)) === 2);
    const ms = await timed(async () => {
      proxy.reset();
      expect((await call).via).toBe("open");
    });
    expect(ms).toBeLessThan(1000);
    await silence.lift();
    expect(
      (
        await until(async () => {
          const decision = await limiter.consume("open", user);
          return decision.via === "store" ? decision : undefined;
        })
      ).limits[0]?.remaining,
    ).toBe(97);
  });

  it("whose reply is lost after the work was done has counted the call once", async () => {
    const { proxy, redis, direct } = await throughProxy();
    const limiter = made(redis, 1000);
    await limiter.consume("open", user);
    // The script of a batch is known, too, before a reply is lost.
    await Promise.all([1, 2].map(() => limiter.consume("own", byUser("43"))));
    const replies = proxy.loseReplyAfter((request) => /evalsha/i.test(request.toString("latin1")));
    const decisions = await Promise.all(Array.from({ length: 5 }, () => limiter.consume("open", user)));
    expect(decisions.map(({ via }) => via)).toEqual(["open", "open", "open", "open", "open"]);
    expect(replies.lost).toBe(1);
    await until(() => redis.read("PING", []));
    expect(await spent(direct)).toBe(6);
  });

  it("that restarts empty is used again without a restart of this process", async () => {
    const server = await ownServer();
    const limiter = made(connected({ url: server.url }), 2000);
    for (let call = 0; call < 100; call += 1) await limiter.consume("open", user);
    expect((await limiter.consume("open", user)).allowed).toBe(false);
    await server.stop();
    await ownServer(server.port);
    const decision = await until(async () => {
      const next = await limiter.consume("open", user);
      return next.via === "store" ? next : undefined;
    });
    expect(decision.limits[0]?.remaining).toBe(99);
  });

  it("that answers late frees the slot of a caller who has gone", async () => {
    const { proxy, redis, direct } = await throughProxy();
    const limiter = made(redis, 2000);
    await (await limiter.consume("slots", user)).release();
    const slow = proxy.latency({ delayMs: 60_000, direction: "replies" });
    const leaving = new AbortController();
    const call = limiter.consume("slots", user, { signal: leaving.signal });
    await until(async () => (await spent(direct)) === 1);
    leaving.abort(new Error("gone"));
    await expect(call).rejects.toThrow("gone");
    await slow.lift();
    await until(async () => (await spent(direct)) === 0);
  });

  it("that holds something else under the subject's key fails that subject alone", async () => {
    const server = await ownServer();
    const redis = connected({ url: server.url });
    const limiter = made(redis, 2000);
    const source = "return redis.call('SET', KEYS[1], 'text')";
    await redis.run({ name: "set", source, sha1: "0".repeat(40) }, { keys: [user.key], args: [] });
    const [broken, whole] = await Promise.all([limiter.consume("open", user), limiter.consume("open", byUser("43"))]);
    expect([broken.via, whole.via]).toEqual(["open", "store"]);
  });
});
