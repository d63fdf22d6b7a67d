import { slotOf, type Redis } from "@sluice/redis";
import { killProcess } from "@sluice/testing/faults";
import { startRedisCluster, startRedisSentinels } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it, onTestFinished } from "vitest";

import { bucket, byKey, byUser, concurrency, createRateLimiter, window } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { until } from "./outcome.ts";
import { connected } from "./servers.ts";

const user = byUser("42");

function made(redis: Redis) {
  return createRateLimiter({
    store: redisStore(redis, { deadlineMs: 1000 }),
    denyCache: 0,
    policies: {
      hour: window({ limit: 50, per: "1h" }),
      tenant: bucket({ capacity: 40, refill: 1, every: "1d" }),
      slots: concurrency({ limit: 5, lease: "1h" }),
    },
  });
}

/** Calls until the store decides again. */
async function recovered(limiter: ReturnType<typeof made>) {
  return until(async () => {
    const decision = await limiter.consume("hour", user);
    return decision.via === "store" ? decision : undefined;
  }, 20_000);
}

describeNeeding({ redis: "real" }, "when a master fails over", () => {
  it("behind Sentinels, replicated counts hold and a few extra calls pass", { timeout: 60_000 }, async () => {
    const topology = await startRedisSentinels();
    onTestFinished(() => topology.stop());
    const sentinels = topology.sentinels.map(({ port }) => ({ host: "127.0.0.1", port }));
    const redis = connected({ sentinels, name: topology.masterName });
    const limiter = made(redis);
    for (let call = 0; call < 30; call += 1) expect((await limiter.consume("hour", user)).via).toBe("store");
    const [master, replica] = topology.nodes;
    const copy = redisStore(connected({ url: replica.url }));
    await until(async () => (await copy.inspect(user.key)).counters[0]?.spent === 30);
    await killProcess(master.pid);
    const { limits } = await recovered(limiter);
    expect(limits[0]?.remaining).toBeLessThanOrEqual(19);
    for (let call = 0; call < 60; call += 1) await limiter.consume("hour", user);
    expect((await limiter.consume("hour", user)).allowed).toBe(false);
  });

  it(
    "in a Cluster, only its slots are away, and sets across slots stay all or nothing",
    { timeout: 60_000 },
    async () => {
      const cluster = await startRedisCluster();
      onTestFinished(() => cluster.stop());
      const addresses = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
      const redis = connected({ cluster: addresses, deadlineMs: 2000 });
      const limiter = made(redis);
      await recovered(limiter);
      await limiter.reset(user);

      const tenant = await elsewhere(cluster);
      const demands = [
        { policy: "hour", subject: user },
        { policy: "tenant", subject: tenant },
        { policy: "slots", subject: tenant },
      ] as const;
      let passed = 0;
      for (let call = 0; call < 10; call += 1) passed += (await limiter.consumeAll(demands)).allowed ? 1 : 0;
      expect(passed).toBe(5);
      const left = async (policy: "hour" | "tenant", subject: typeof user) =>
        (await limiter.check(policy, subject)).limits[0]?.remaining;
      // Five slots, so five calls: what the denied ones had taken elsewhere was given back.
      expect([await left("hour", user), await left("tenant", tenant)]).toEqual([45, 35]);
      // The tenant is asked first and has room; then the user denies.
      const pair = [
        { policy: "hour", subject: byUser("43"), cost: 50 },
        { policy: "tenant", subject: tenant },
      ] as const;
      expect((await limiter.consumeAll(pair)).allowed).toBe(true);
      for (let call = 0; call < 5; call += 1) expect((await limiter.consumeAll(pair)).allowed).toBe(false);
      expect(await left("tenant", tenant)).toBe(34);
      const many = await Promise.all(
        Array.from({ length: 100 }, (_, index) => limiter.consume("hour", byUser(`user-${index}`))),
      );
      expect(many.every(({ via, allowed }) => via === "store" && allowed)).toBe(true);

      const master = await cluster.masterOf(slotOf(user.key));
      if (!master) throw new Error("Nobody serves the slot.");
      await killProcess(master.pid);
      for (let call = 0; call < 20; call += 1) expect((await limiter.consume("tenant", tenant)).via).toBe("store");
      await recovered(limiter);
      expect((await limiter.consumeAll(demands)).allowed).toBe(false);
    },
  );
});

/** A tenant in another slot, on another master than the user. */
async function elsewhere(cluster: Awaited<ReturnType<typeof startRedisCluster>>) {
  const own = await cluster.masterOf(slotOf(user.key));
  for (let index = 0; index < 100; index += 1) {
    const tenant = byKey(`org_${index}`);
    if ((await cluster.masterOf(slotOf(tenant.key))) !== own) return tenant;
  }
  throw new Error("All tenants are on the user's master.");
}
