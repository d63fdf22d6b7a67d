import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { onTestFinished } from "vitest";

import type { Address } from "../src/ioredis.ts";
import { until } from "./servers.ts";

/** A master and its replica, watched by three Sentinels. */
export interface Sentinels {
  readonly nodes: readonly LaunchedRedis[];
  readonly sentinels: readonly Address[];
  /** The port of the master that the Sentinels agree on. */
  readonly masterPort: () => Promise<number>;
}

/** Six nodes: three masters with a replica each. */
export interface ClusterOfSix {
  readonly nodes: readonly LaunchedRedis[];
  readonly addresses: readonly Address[];
  /** The node that is master of a slot, as the others see it. */
  readonly masterOf: (slot: number, among?: readonly LaunchedRedis[]) => Promise<LaunchedRedis>;
}

const host = "127.0.0.1";

/** Ports that are free, all at once. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => (server.close(), once(server, "close"))));
  return ports;
}

async function node(settings: Readonly<Record<string, string | number>>, port: number): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const launched = await launchRedis({ binary, port, settings });
  onTestFinished(() => launched.stop());
  return launched;
}

/** A client to administer one server with. */
export function adminOf(port: number): Ioredis {
  const admin = new Ioredis({ port, host, retryStrategy: () => 50, maxRetriesPerRequest: null, commandTimeout: 1000 });
  admin.on("error", () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** Starts Redis with Sentinels that agree after half a second of silence. */
export async function startSentinels(): Promise<Sentinels> {
  const [first = 0, second = 0, ...watching] = await freePorts(5);
  const master = await node({}, first);
  const replica = await node({ replicaof: `${host} ${first}`, "repl-diskless-sync-delay": 0 }, second);
  for (const port of watching) await startSentinel(port, first);
  const admins = watching.map(adminOf);
  const replicaAdmin = adminOf(second);
  await until(async () => (await replicaAdmin.info("replication")).includes("master_link_status:up"));
  for (const admin of admins) {
    await until(async () => {
      const [flat] = (await admin.call("SENTINEL", ["MASTERS"])) as string[][];
      const facts = flat ?? [];
      const fact = (name: string): string | undefined => facts[facts.indexOf(name) + 1];
      return fact("num-slaves") === "1" && fact("num-other-sentinels") === "2";
    });
  }
  return {
    nodes: [master, replica],
    sentinels: watching.map((port) => ({ host, port })),
    masterPort: async () => {
      const seen = await Promise.all(
        admins.map((admin) => admin.call("SENTINEL", ["GET-MASTER-ADDR-BY-NAME", "mymaster"])),
      );
      const ports = new Set(seen.map((address) => Number((address as string[])[1])));
      if (ports.size !== 1) throw new Error("The Sentinels do not agree yet.");
      return [...ports][0] ?? 0;
    },
  };
}

async function startSentinel(port: number, masterPort: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "sluice-sentinel-"));
  const file = path.join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    `bind ${host}`,
    `dir ${folder}`,
    `sentinel monitor mymaster ${host} ${masterPort} 2`,
    "sentinel down-after-milliseconds mymaster 500",
    "sentinel failover-timeout mymaster 3000",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const sentinel = spawn((await findRedis()) ?? "", [file, "--sentinel"], { stdio: "ignore" });
  const exited = once(sentinel, "exit");
  onTestFinished(async () => {
    sentinel.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  });
}

const slots = 16_384;

/** Starts a Cluster that notices an outage after one second. */
export async function startCluster(): Promise<ClusterOfSix> {
  const ports = await freePorts(12);
  const nodes = await Promise.all(
    ports.slice(0, 6).map((port, index) =>
      node(
        {
          "cluster-enabled": "yes",
          "cluster-node-timeout": 1000,
          "cluster-port": ports[index + 6] ?? 0,
          "cluster-config-file": "nodes.conf",
          "repl-diskless-sync-delay": 0,
        },
        port,
      ),
    ),
  );
  const admins = nodes.map(({ port }) => adminOf(port));
  const ids = await Promise.all(admins.map(async (admin) => String(await admin.call("CLUSTER", ["MYID"]))));
  for (const [index, admin] of admins.entries()) {
    await admin.call("CLUSTER", ["SET-CONFIG-EPOCH", index + 1]);
    const [from, to] = [Math.floor((index * slots) / 3), Math.floor(((index + 1) * slots) / 3) - 1];
    if (index < 3) await admin.call("CLUSTER", ["ADDSLOTSRANGE", from, to]);
    if (index > 0) await admins[0]?.call("CLUSTER", ["MEET", host, nodes[index]?.port ?? 0, ports[index + 6] ?? 0]);
  }
  await until(
    () => Promise.all(admins.map(async (admin) => knows(await admin.call("CLUSTER", ["NODES"]), 6))).then(all),
    20_000,
  );
  for (const index of [3, 4, 5]) await admins[index]?.call("CLUSTER", ["REPLICATE", ids[index - 3] ?? ""]);
  await until(() => Promise.all(admins.map(isWhole)).then(all), 20_000);
  return {
    nodes,
    addresses: nodes.map(({ port }) => ({ host, port })),
    masterOf: async (slot, among = nodes) => {
      const witness = admins.find((_, index) => among.some(({ port }) => port === nodes[index]?.port));
      const ranges = (await witness?.call("CLUSTER", ["SLOTS"])) as [number, number, [string, number]][];
      const [, , [, port] = ["", 0]] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [0, 0];
      const found = nodes.find((each) => each.port === port);
      if (!found) throw new Error(`Nobody serves the slot ${slot}.`);
      return found;
    },
  };
}

function knows(nodes: unknown, count: number): boolean {
  const lines = String(nodes).trim().split("\n");
  return lines.length === count && lines.every((line) => !line.includes("handshake") && line.includes("connected"));
}

async function isWhole(admin: Ioredis): Promise<boolean> {
  const [info, list, replication] = await Promise.all([
    admin.call("CLUSTER", ["INFO"]),
    admin.call("CLUSTER", ["NODES"]),
    admin.info("replication"),
  ]);
  const replicas = String(list)
    .split("\n")
    .filter((line) => line.includes("slave")).length;
  const isSynced = !replication.includes("role:slave") || replication.includes("master_link_status:up");
  return String(info).includes("cluster_state:ok") && replicas === 3 && isSynced;
}

function all(facts: readonly boolean[]): boolean {
  return facts.every(Boolean);
}
