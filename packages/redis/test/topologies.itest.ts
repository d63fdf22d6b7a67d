import type { Duplex } from "node:stream";

import { frozen, killProcess } from "@sluice/testing/faults";
import {
  startRedisCluster,
  startRedisSentinels,
  type LaunchedRedis,
  type RedisCluster,
  type RedisSentinels,
} from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from "vitest";

import { createCoalescer, createReader, slotOf, type Redis, type Reply } from "../src/index.ts";
import { fromIoredis } from "../src/ioredis.ts";
import { withstand } from "./fault-load.ts";
import { count, scriptOf } from "./scripts.ts";
import { adminOf, closing, connected, rejection, timed, until } from "./servers.ts";

const hit = { keys: ["hits"], args: [1] };

/** Counts through the port until it works again, and says how long that took. */
async function recovered(redis: Redis, entry = hit): Promise<number> {
  return timed(() => until(() => redis.run(count, entry), 15_000));
}

/** How often a socket has handed something to the system since it was asked for the first time. */
function writesOf(socket: Duplex): () => number {
  const calls = [vi.spyOn(socket, "_write"), vi.spyOn(socket as Required<Duplex>, "_writev")];
  return () => calls.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

/** A topology of this test's own, gone when the test ends. */
async function watched(): Promise<RedisSentinels> {
  const topology = await startRedisSentinels();
  onTestFinished(() => topology.stop());
  return topology;
}

describeNeeding({ redis: "real" }, "behind Sentinels", () => {
  it("where a master fails over, the new one is used within 5 s, without a restart", { timeout: 60_000 }, async () => {
    const topology = await watched();
    const [master, replica] = topology.nodes;
    const redis = connected({ sentinels: topology.sentinels, name: topology.masterName });
    const { recoveryMs, errors } = await withstand({
      fault: "Sentinel failover of a killed master",
      call: () => redis.run(count, hit),
      strike: () => killProcess(master.pid),
      repair: () => until(async () => (await topology.master()) === replica, 15_000),
    });
    expect(recoveryMs).toBeLessThan(5000);
    expect(errors.length).toBeGreaterThan(0);
  });

  it("where a master hangs, it is left, and never written again once it wakes up", { timeout: 60_000 }, async () => {
    const topology = await watched();
    const [master, replica] = topology.nodes;
    const redis = connected({ sentinels: topology.sentinels, name: topology.masterName });
    const doubts: string[] = [];
    const subscription = await redis.subscribe(
      "news",
      () => {},
      (doubt) => doubts.push(doubt),
    );
    expect(await redis.run(count, hit)).toBe(1);
    await frozen(master.pid, async () => {
      await rejection(redis.run(count, hit));
      await until(async () => (await topology.master()) === replica, 15_000);
      expect(await recovered(redis)).toBeLessThan(5000);
      await until(() => subscription.live && doubts.includes("resubscribed"), 15_000);
    });
    for (let call = 0; call < 50; call += 1) await redis.run(count, hit, { deadlineMs: 5000 });
    expect(Number(await redis.read("GET", ["hits"]))).toBeGreaterThan(50);
    // What it held is what it had before; once it is a replica it refuses writes itself.
    const admin = adminOf(master);
    const [role, hits] = await until(async () => [(await admin.role())[0], Number(await admin.get("hits"))]);
    expect(role === "master" ? hits : 0).toBeLessThanOrEqual(2);
  });
});

describeNeeding({ redis: "real" }, "on a Cluster", () => {
  let cluster: RedisCluster;
  let addresses: { host: string; port: number }[];
  beforeAll(async () => {
    cluster = await startRedisCluster();
    addresses = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
  });
  beforeEach(async () => {
    for (const node of cluster.nodes.slice(0, 3)) await adminOf(node).flushall();
  });
  afterAll(() => cluster.stop());

  async function masterOf(key: string): Promise<LaunchedRedis> {
    const master = await cluster.masterOf(slotOf(key));
    if (!master) throw new Error(`Nobody serves the slot of ${key}.`);
    return master;
  }

  it("calls, batches, reads and SCAN reach every node", { timeout: 60_000 }, async () => {
    const redis = connected({ cluster: addresses, deadlineMs: 5000 });
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    const answers = await Promise.all([...keys, ...keys].map((key) => counter.run({ keys: [key], args: [1] })));
    expect(answers).toEqual([...keys.map(() => 1), ...keys.map(() => 2)]);
    const reader = createReader({ redis, deadlineMs: 5000 });
    expect(await Promise.all(keys.map((key) => reader.get(key)))).toEqual(keys.map(() => "2"));
    const found: string[] = [];
    let cursor = "0";
    do {
      const [next, some] = (await redis.read("SCAN", [cursor, "COUNT", 100])) as [string, string[]];
      found.push(...some);
      cursor = next;
    } while (cursor !== "0");
    expect(found.toSorted()).toEqual(keys.toSorted());
    expect(await rejection(redis.read("MGET", ["a", "b"]))).toMatchObject({ code: "ERR_SLUICE_REDIS_CROSS_SLOT" });
    expect(await rejection(redis.run(count, { keys: ["a", "b"], args: [1] }, { acrossSlots: true }))).toMatchObject({
      code: "ERR_SLUICE_REDIS_CROSS_SLOT",
    });
  });

  it("SCAN may be the first call, before any node is known", { timeout: 60_000 }, async () => {
    const redis = connected({ cluster: addresses, deadlineMs: 5000 });
    const [cursor, keys] = (await redis.read("SCAN", ["0"])) as [string, string[]];
    expect([cursor.includes("/"), Array.isArray(keys)]).toEqual([true, true]);
  });

  it("commands of one turn to one node go out in one write, and so do reads", { timeout: 60_000 }, async () => {
    const client = new Cluster(addresses, { lazyConnect: true, retryDelayOnFailover: 0 });
    onTestFinished(() => client.disconnect());
    const redis = closing(fromIoredis(client, { deadlineMs: 5000 }));
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    const reader = createReader({ redis, deadlineMs: 5000 });
    const keys = Array.from({ length: 600 }, (_, index) => `write:${index}`);
    const visitAll = (): Promise<Reply[]> => Promise.all(keys.map((key) => counter.run({ keys: [key], args: [1] })));
    await visitAll();
    const writes = client.nodes("master").map(({ stream }) => writesOf(stream));
    expect(await visitAll()).toEqual(keys.map(() => 2));
    expect(writes.map((soFar) => soFar())).toEqual([1, 1, 1]);
    expect(await Promise.all(keys.map((key) => reader.get(key)))).toEqual(keys.map(() => "2"));
    expect(writes.map((soFar) => soFar())).toEqual([2, 2, 2]);
  });

  it("a slot that moves is followed through ASK and MOVED, each call counted once", { timeout: 60_000 }, async () => {
    const redis = connected({ cluster: addresses, deadlineMs: 5000 });
    const key = "moving";
    const slot = slotOf(key);
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(1);
    const source = await masterOf(key);
    const target = cluster.nodes.slice(0, 3).find((node) => node !== source);
    if (!target) throw new Error("There is no other master.");
    const [from, to] = [adminOf(source), adminOf(target)];
    const [fromId, toId] = [String(await from.call("CLUSTER", ["MYID"])), String(await to.call("CLUSTER", ["MYID"]))];
    await to.call("CLUSTER", ["SETSLOT", slot, "IMPORTING", fromId]);
    await from.call("CLUSTER", ["SETSLOT", slot, "MIGRATING", toId]);
    await from.call("MIGRATE", ["127.0.0.1", target.port, key, 0, 1000]);
    // The key is at the target, the slot still at the source: ASK. The script is unknown there.
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(2);
    const counter = createCoalescer({ redis, script: count, deadlineMs: 5000 });
    expect(await Promise.all([1, 1].map((by) => counter.run({ keys: [key], args: [by] })))).toEqual([3, 4]);
    for (const admin of [to, from]) await admin.call("CLUSTER", ["SETSLOT", slot, "NODE", toId]);
    expect(await redis.run(count, { keys: [key], args: [1] })).toBe(5);
    expect(await Promise.all([1, 1].map((by) => counter.run({ keys: [key], args: [by] })))).toEqual([6, 7]);
  });

  it("a client of the user's that resends counts a batch once", { timeout: 60_000 }, async () => {
    const client = new Cluster([...addresses], { lazyConnect: true });
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const redis = closing(fromIoredis(client, { deadlineMs: 5000 }));
    expect([redis.resends, redis.sharded]).toEqual([true, true]);
    expect(redis.warnings.join("\n")).toContain("retryDelayOnFailover");
    // Sends every batch twice, as a resend after a lost answer does.
    const twice = Object.assign(Object.create(redis) as Redis, {
      run: async (...call: Parameters<Redis["run"]>) => {
        await redis.run(...call);
        return redis.run(...call);
      },
    });
    const counter = createCoalescer({ redis: twice, script: count, deadlineMs: 5000 });
    const keys = Array.from({ length: 50 }, (_, index) => `key:${index % 25}`);
    const answers = await Promise.all(keys.map((key) => counter.run({ keys: [key], args: [1] })));
    expect(answers).toEqual(keys.map((_, index) => (index < 25 ? 1 : 2)));
    const left = await redis.run(scriptOf("ttl", "return redis.call('PTTL', KEYS[1])"), { keys: ["key:1"], args: [] });
    expect(left).toBe(-1);
  });

  // Last, as it costs the Cluster a node.
  it("a master that dies is replaced within 5 s, other slots keep working", { timeout: 60_000 }, async () => {
    const redis = connected({ cluster: addresses });
    await until(() => redis.run(count, hit));
    const master = await masterOf("hits");
    const other = { keys: ["{other}1"], args: [1] };
    expect(await masterOf("{other}1")).not.toBe(master);
    await redis.run(count, other);
    const { recoveryMs, errors } = await withstand({
      fault: "Cluster failover of a killed master",
      call: () => redis.run(count, hit),
      strike: async () => {
        await killProcess(master.pid);
        // A busy machine may be slow; what does not work fails.
        for (let call = 0; call < 200; call += 1) await redis.run(count, other, { deadlineMs: 5000 });
      },
      repair: () => until(async () => (await masterOf("hits")) !== master, 20_000),
    });
    expect(recoveryMs).toBeLessThan(5000);
    expect(errors.length).toBeGreaterThan(0);
  });
});
