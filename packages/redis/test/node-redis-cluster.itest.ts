import { killProcess } from "@sluice/testing/faults";
import { startRedisCluster, type LaunchedRedis, type RedisCluster } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { createCluster } from "redis";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { createCoalescer, createReader, slotOf, type RedisConnection } from "../src/index.ts";
import { fromNodeRedis } from "../src/node-redis.ts";
import { safeNodeRedis } from "./every-client.ts";
import { withstand } from "./fault-load.ts";
import { count, scriptOf } from "./scripts.ts";
import { adminOf, closing, rejection, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

describeNeeding({ redis: "real" }, "a Cluster client of node-redis", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  async function clustered(deadlineMs = 5000): Promise<RedisConnection> {
    const rootNodes = cluster.nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` }));
    const client = createCluster({
      rootNodes,
      defaults: safeNodeRedis,
    });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    return closing(fromNodeRedis(client, { deadlineMs }));
  }

  async function masterOf(key: string): Promise<LaunchedRedis> {
    const master = await cluster.masterOf(slotOf(key));
    if (!master) throw new Error(`Nobody serves ${key}.`);
    return master;
  }

  it("reaches every node with calls, batches, reads, SCAN and messages", async () => {
    const redis = await clustered();
    expect([redis.warnings.length, redis.resends, redis.sharded]).toEqual([1, false, true]);
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    const answers = await Promise.all([...keys, ...keys].map((key) => counter.run({ keys: [key], args: [1] })));
    expect(answers).toEqual([...keys.map(() => 1), ...keys.map(() => 2)]);
    const reader = createReader({ redis, deadlineMs: 5000 });
    expect(await Promise.all(keys.map((key) => reader.get(key)))).toEqual(keys.map(() => "2"));
    expect(await redis.read("MGET", ["{a}1", "{a}2"])).toEqual([null, null]);
    expect(await redis.read("GET", ["key:1"], { bytes: true })).toEqual(Buffer.from("2"));
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, some] = (await redis.read("SCAN", [cursor, "COUNT", 100])) as [string, string[]];
      found.push(...some);
      cursor = next;
    } while (cursor !== "0");
    expect(found.toSorted()).toEqual(keys.toSorted());
    expect(await rejection(redis.run(count, { keys: ["a", "b"], args: [1] }))).toMatchObject({
      code: "ERR_SLUICE_REDIS_CROSS_SLOT",
    });
    const messages: string[] = [];
    const subscription = await redis.subscribe(
      "news",
      (message) => messages.push(message),
      () => {},
    );
    expect(subscription.live).toBe(true);
    await redis.run(scriptOf("tell", "return redis.call('PUBLISH', 'news', 'hello')"), { keys: [], args: [] });
    await until(() => messages.includes("hello"));
  });

  it("follows a slot that moves through ASK and MOVED, each call counted once", async () => {
    const redis = await clustered();
    const key = "moving";
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(1);
    const source = await masterOf(key);
    const target = cluster.nodes.slice(0, 3).find((node) => node !== source);
    if (!target) throw new Error("There is no other master.");
    const [from, to] = [adminOf(source), adminOf(target)];
    const [fromId, toId] = [String(await from.call("CLUSTER", ["MYID"])), String(await to.call("CLUSTER", ["MYID"]))];
    await to.call("CLUSTER", ["SETSLOT", slotOf(key), "IMPORTING", fromId]);
    await from.call("CLUSTER", ["SETSLOT", slotOf(key), "MIGRATING", toId]);
    await from.call("MIGRATE", ["127.0.0.1", target.port, key, 0, 1000]);
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(2);
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const both = (): Promise<unknown> => Promise.all([1, 1].map((by) => counter.run({ keys: [key], args: [by] })));
    expect(await both()).toEqual([3, 4]);
    for (const admin of [to, from]) await admin.call("CLUSTER", ["SETSLOT", slotOf(key), "NODE", toId]);
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(5);
    expect(await both()).toEqual([6, 7]);
  });

  it("uses the new master within 5 s of its election", { timeout: 60_000 }, async () => {
    const redis = await clustered(250);
    await until(() => redis.run(count, hit));
    const master = await masterOf("hits");
    const { recoveryMs, addedLatencyMs } = await withstand({
      fault: "Cluster failover through node-redis",
      call: () => redis.run(count, hit),
      strike: () => killProcess(master.pid),
      repair: () => until(async () => (await masterOf("hits")) !== master, 20_000),
    });
    expect(addedLatencyMs).toBeLessThan(500);
    expect(recoveryMs).toBeLessThan(5000);
  });
});
