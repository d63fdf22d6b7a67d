import { systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { killProcess } from "@sluice/testing/faults";
import { startRedisCluster, startRedisSentinels } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it, onTestFinished } from "vitest";

import { createLocks, type LockStore, type Locks } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { locksAt } from "./own-redis.ts";
import { codeOf } from "./support.ts";
import { until } from "./until.ts";

const leaseMs = 60_000;

describeNeeding({ redis: "real" }, "a lock in a Redis that fails over", () => {
  it("behind Sentinels can be acquired again within 5 s of the election", { timeout: 60_000 }, async () => {
    const topology = await startRedisSentinels();
    onTestFinished(() => topology.stop());
    const [master, replica] = topology.nodes;
    const locks = locksAt({ sentinels: topology.sentinels, name: topology.masterName });
    await (await locks.acquire("a")).release();
    await killProcess(master.pid);
    await until(async () => (await topology.master()) === replica, 15_000);
    expect(await acquiredAfterMs(locks)).toBeLessThan(5000);
  });

  it(
    "in a Cluster takes all of several keys or none, on all masters, and again after a failover",
    { timeout: 60_000 },
    async () => {
      const cluster = await startRedisCluster();
      onTestFinished(() => cluster.stop());
      const redis = connectRedis({ cluster: cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })) });
      onTestFinished(() => redis.close());
      const store = redisStore(redis);
      const keys = Array.from({ length: 12 }, (_, number) => `key ${number}`).toSorted();
      await store.acquire({ keys: ["key 7"], owner: "other", leaseMs });
      expect((await store.acquire({ keys, owner: "1", leaseMs })).granted).toBe(false);
      await expectFree(
        store,
        keys.filter((key) => key !== "key 7"),
      );
      await store.release({ keys: ["key 7"], owner: "other" });
      expect((await store.acquire({ keys, owner: "2", leaseMs })).granted).toBe(true);
      expect(await store.extend({ keys, owner: "2", leaseMs })).toBe(true);
      expect(await store.release({ keys, owner: "2" })).toBe(true);
      const [first] = cluster.nodes;
      await killProcess(first?.pid ?? 0);
      const locks = createLocks({ store });
      await until(async () => (await codeOf(locks.withLock(keys, () => "all"))) === "fulfilled with all", 20_000);
    },
  );
});

async function expectFree(store: LockStore, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    expect((await store.acquire({ keys: [key], owner: `sole ${key}`, leaseMs })).granted).toBe(true);
    await store.release({ keys: [key], owner: `sole ${key}` });
  }
}

async function acquiredAfterMs(locks: Locks): Promise<number> {
  const startedMs = systemClock.monotonic();
  await until(async () => (await codeOf(locks.withLock("a", () => "held"))) === "fulfilled with held", 15_000);
  return systemClock.monotonic() - startedMs;
}
