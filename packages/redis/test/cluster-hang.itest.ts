import { frozen } from "@sluice/testing/faults";
import { startRedisCluster, type RedisCluster } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { createCluster } from "redis";
import { expect, it, onTestFinished } from "vitest";

import { slotOf, type RedisConnection } from "../src/index.ts";
import { fromNodeRedis } from "../src/node-redis.ts";
import { safeNodeRedis } from "./every-client.ts";
import { count } from "./scripts.ts";
import { adminOf, closing, connected, rejection, timed, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

type Open = (cluster: RedisCluster) => Promise<RedisConnection>;

const byIoredis: Open = async ({ nodes }) =>
  connected({ cluster: nodes.map(({ port }) => ({ host: "127.0.0.1", port })) });

const byNodeRedis: Open = async ({ nodes }) => {
  const client = createCluster({
    rootNodes: nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: safeNodeRedis,
  });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return closing(fromNodeRedis(client));
};

/** A port over a Cluster of its own, and what becomes of the master of its key. */
async function hanging(open: Open) {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const redis = await open(cluster);
  await until(() => redis.run(count, hit));
  const master = await cluster.masterOf(slotOf("hits"));
  if (!master) throw new Error("Nobody serves the slot.");
  const admin = adminOf(master);
  let unknown = 0;
  return {
    redis,
    pid: master.pid,
    /** How often the caller could not know whether a call has run: those may have run at the old master. */
    unknown: () => unknown,
    call: (deadlineMs = 250) =>
      redis.run(count, hit, { deadlineMs }).catch((error: { applied?: string }) => {
        if (error.applied === "unknown") unknown += 1;
        throw error;
      }),
    /** How many scripts the old master has run. */
    runs: async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0),
    isReplaced: async () => (await cluster.masterOf(slotOf("hits"))) !== master,
    isDemoted: async () => (await admin.role())[0] === "slave",
  };
}

describeNeeding({ redis: "real" }, "on a Cluster, a master that hangs", () => {
  it("is left within 5 s of the election, and never written again once it wakes up", { timeout: 60_000 }, async () => {
    const { redis, pid, unknown, call, runs, isReplaced, isDemoted } = await hanging(byIoredis);
    const before = await runs();
    await frozen(pid, async () => {
      await until(async () => {
        await call().catch(() => undefined);
        return isReplaced();
      }, 20_000);
      expect(await timed(() => until(() => call(), 15_000))).toBeLessThan(5000);
    });
    for (let calls = 0; calls < 200; calls += 1) await call(5000);
    await until(isDemoted, 15_000);
    for (let calls = 0; calls < 50; calls += 1) await call(5000);
    expect((await runs()) - before).toBeLessThanOrEqual(unknown());
    expect(Number(await redis.read("GET", ["hits"]))).toBeGreaterThanOrEqual(250);
  });

  it("holds up only its own keys through node-redis, and is left once it wakes up", { timeout: 60_000 }, async () => {
    const { redis, pid, unknown, call, runs, isReplaced, isDemoted } = await hanging(byNodeRedis);
    expect(redis.warnings).toEqual([expect.stringContaining("stays on a master that hangs")]);
    const before = await runs();
    const elsewhere = { keys: ["{other}1"], args: [1] };
    await frozen(pid, async () => {
      await until(async () => {
        await call().catch(() => undefined);
        return isReplaced();
      }, 20_000);
      const ms = await timed(() => rejection(call()));
      expect(ms).toBeLessThan(1000);
      expect(await redis.run(count, elsewhere, { deadlineMs: 5000 })).toBe(1);
    });
    await until(isDemoted, 15_000);
    expect(await timed(() => until(() => call(), 15_000))).toBeLessThan(5000);
    for (let calls = 0; calls < 50; calls += 1) await call(5000);
    expect((await runs()) - before).toBeLessThanOrEqual(unknown());
  });
});
