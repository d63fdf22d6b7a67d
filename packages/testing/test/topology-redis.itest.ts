import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { sleep, systemClock } from "@sluice/core";
import { killProcess } from "@sluice/testing/faults";
import { startRedisCluster, startRedisSentinels } from "@sluice/testing/services";
import { describe, expect, it } from "vitest";

import { askRedis } from "../src/services/redis-exchange.ts";
import { redisBinary, replicationOf, startAll } from "../src/topologies/redis-nodes.ts";
import { describeWithLocalRedis } from "./local-redis.ts";
import { isAlive, killAfterwards, parentOf, privateFolder, privateTemporaryFolder } from "./private-folder.ts";

/** Looks again until it is so: an election has no event to wait for. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(systemClock, 10);
}

async function roleOf({ port }: { port: number }): Promise<string | undefined> {
  return (await replicationOf(port)).get("role");
}

describeWithLocalRedis("a master with Sentinels", (binary) => {
  it("is in step from the start, fails over when it is killed, and leaves nothing behind", async () => {
    const left = await privateTemporaryFolder();
    // The first copy takes two seconds, which is longer than all else, and for which the topology has to wait.
    const topology = await startRedisSentinels({ binary, settings: { "repl-diskless-sync-delay": 2 } });
    const [master, replica] = topology.nodes;
    const servers = [master, replica, ...topology.sentinels];
    for (const { pid } of servers) killAfterwards(pid);
    expect((await replicationOf(replica.port)).get("master_link_status")).toBe("up");
    expect(await topology.master()).toBe(master);
    expect(await Promise.all([master, replica].map(roleOf))).toEqual(["master", "slave"]);
    expect(await askRedis(master.port, ["SET", "stock", 7], ["WAIT", 1, 1000])).toEqual(["OK", 1]);
    await killProcess(master.pid);
    await until(async () => (await topology.master()) === replica);
    await until(async () => (await roleOf(replica)) === "master");
    expect(await askRedis(replica.port, ["GET", "stock"])).toEqual(["7"]);
    await Promise.all([topology.stop(), topology.stop()]);
    expect(servers.map(({ pid }) => pid).filter(isAlive)).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it("names what cannot be started, and stops what has started", async () => {
    const left = await privateTemporaryFolder();
    const failure = startRedisSentinels({ binary, settings: { maxmemory: "plenty" } });
    await expect(failure).rejects.toMatchObject({ code: "ERR_SLUICE_SERVER_START" });
    await expect(startRedisCluster({ binary: "/nonexistent/redis-server" })).rejects.toThrow("ENOENT");
    const stopped: string[] = [];
    const starts = [{ stop: async () => void stopped.push("the one") }, Promise.reject(new Error("the other"))];
    await expect(startAll(starts.map(async (start) => start))).rejects.toThrow("the other");
    expect(stopped).toEqual(["the one"]);
    expect(await left()).toEqual([]);
  });
});

describeWithLocalRedis("a Cluster", (binary) => {
  it("is whole from the start, replaces a master that is killed, and leaves nothing behind", async () => {
    const left = await privateTemporaryFolder();
    const topology = await startRedisCluster({ binary });
    const { nodes } = topology;
    for (const { pid } of nodes) killAfterwards(pid);
    expect(await Promise.all(nodes.map(roleOf))).toEqual(["master", "master", "master", "slave", "slave", "slave"]);
    const [first, second, third, replica] = nodes;
    expect(await Promise.all([0, 5461, 16_383].map((slot) => topology.masterOf(slot)))).toEqual([first, second, third]);
    const states = await Promise.all(nodes.map(({ port }) => askRedis(port, ["CLUSTER", "INFO"])));
    for (const [info] of states) expect(String(info)).toContain("cluster_state:ok");
    await killProcess(first?.pid ?? 0);
    await until(async () => (await topology.masterOf(0)) === replica);
    expect(await topology.masterOf(16_383)).toBe(third);
    await topology.stop();
    expect(nodes.map(({ pid }) => pid).filter(isAlive)).toEqual([]);
    expect(await left()).toEqual([]);
  });
});

describeWithLocalRedis("topologies that nobody stops", () => {
  it("leave no process and no folder when the run is killed", async () => {
    const temporary = await privateFolder();
    const program = path.join(import.meta.dirname, "fixtures", "holds-topologies.ts");
    const run = spawn(process.execPath, ["--conditions=sluice-source", program], {
      env: { ...process.env, TMPDIR: temporary, NODE_OPTIONS: "" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const pids = await new Promise<number[]>((resolve) => {
      run.stdout.once("data", (line: Buffer) => resolve(JSON.parse(line.toString()) as number[]));
    });
    const processes = [...pids, ...pids.map(parentOf)];
    for (const pid of [run.pid!, ...processes]) killAfterwards(pid);
    expect(processes.filter(isAlive)).toHaveLength(2 * 8);
    await killProcess(run.pid!);
    await expect.poll(() => processes.filter(isAlive), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => readdir(temporary), { timeout: 15_000 }).toEqual([]);
  });
});

describe("a topology of Redis", () => {
  it("is refused on a machine without a redis-server, with the way that was tried", async () => {
    const failure = redisBinary(undefined, async () => undefined);
    await expect(failure).rejects.toMatchObject({ code: "ERR_SLUICE_SERVICE_UNAVAILABLE", service: "redis" });
    await expect(failure).rejects.toThrow("local: no redis-server or valkey-server");
  });

  it.each([
    { argument: "downAfterMs", start: () => startRedisSentinels({ downAfterMs: 50 }) },
    { argument: "masters", start: () => startRedisCluster({ masters: 2 }) },
    { argument: "replicas", start: () => startRedisCluster({ replicas: 3 }) },
    { argument: "nodeTimeoutMs", start: () => startRedisCluster({ nodeTimeoutMs: 0.5 }) },
  ])("is refused with another $argument than it can have", async ({ argument, start }) => {
    await expect(start()).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
  });
});
