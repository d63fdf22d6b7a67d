import { InvalidArgumentError } from "@sluice/core";

import { onPorts } from "../services/free-port.ts";
import type { LaunchedRedis } from "../services/launch-redis.ts";
import { askRedis, type RedisAnswer, type RedisCommand } from "../services/redis-exchange.ts";
import { launchNode, redisBinary, startAll, stopAll, untilHolds } from "./redis-nodes.ts";

/** How {@link startRedisCluster} runs its nodes. */
export interface RedisClusterOptions {
  /** `redis-server` or `valkey-server`. Default: the one on this machine, see `findRedis`. */
  readonly binary?: string;
  /** How many masters share the slots, from 3 to 9. Default 3, the fewest that can replace one of them. */
  readonly masters?: number;
  /** How many replicas each master has, from 0 to 2. Default 1. */
  readonly replicas?: number;
  /** Directives of `redis.conf` for all nodes. Default: nothing is written to disk. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** How long a node may be silent before the others replace it, in ms, from 200 to 60 000. Default 1000. */
  readonly nodeTimeoutMs?: number;
}

/** A Redis Cluster of masters with replicas. */
export interface RedisCluster extends AsyncDisposable {
  /** The nodes that began as masters, then the replicas of the first one, of the second one, and so on. */
  readonly nodes: readonly LaunchedRedis[];
  /**
   * The node that is the master of a slot to most of the nodes that answer; `undefined` when the slot has none. After
   * the end of a master that is still the old one, until its replica has taken over. One round trip.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` when it is not a whole number from 0 to 16383.
   */
  masterOf(slot: number): Promise<LaunchedRedis | undefined>;
  /** Ends all nodes and removes their folders. Idempotent. */
  stop(): Promise<void>;
}

const slotCount = 16_384;

/**
 * Runs a Redis or Valkey Cluster on free ports of 127.0.0.1. When it resolves, every node knows all others, all slots
 * are served, and each replica has all that its master has. All nodes end with this process and leave no folder behind.
 *
 * Takes about three seconds. To have a failover, end a master by its `pid`.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` where no `binary` is given and the machine has none.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a number out of its range.
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of the log of the node that did not start.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1, settings = {}, nodeTimeoutMs = 1000 } = options;
  refuseUnless("masters", masters, [3, 9]);
  refuseUnless("replicas", replicas, [0, 2]);
  refuseUnless("nodeTimeoutMs", nodeTimeoutMs, [200, 60_000]);
  const binary = await redisBinary(options.binary);
  const count = masters * (1 + replicas);
  return onPorts(2 * count, async (ports) => {
    const plan = { masters, replicas, ports: ports.slice(0, count), busPorts: ports.slice(count) };
    const own = { ...settings, "cluster-enabled": "yes", "cluster-node-timeout": nodeTimeoutMs };
    const launched = plan.ports.map((port, index) =>
      launchNode({ binary, port, settings: { ...own, "cluster-port": plan.busPorts[index] ?? 0 } }),
    );
    const nodes = await startAll(launched);
    try {
      await join(nodes, plan);
      return together(nodes);
    } catch (error) {
      await stopAll(nodes);
      throw error;
    }
  });
}

interface Plan {
  readonly masters: number;
  readonly replicas: number;
  readonly ports: readonly number[];
  readonly busPorts: readonly number[];
}

async function join(nodes: readonly LaunchedRedis[], { masters, replicas, ports, busPorts }: Plan): Promise<void> {
  const [first = 0] = ports;
  const ids: string[] = [];
  for (const [index, port] of ports.entries()) {
    const [from, to] = [index, index + 1].map((each) => Math.floor((each * slotCount) / masters));
    // Masters that all begin with one epoch would first have to settle which of them is which.
    const commands: RedisCommand[] = [
      ["CLUSTER", "MYID"],
      ["CLUSTER", "SET-CONFIG-EPOCH", index + 1],
    ];
    if (index < masters) commands.push(["CLUSTER", "ADDSLOTSRANGE", from ?? 0, (to ?? 0) - 1]);
    const [id] = await tell(port, ...commands);
    ids.push(String(id));
    if (index > 0) await tell(first, ["CLUSTER", "MEET", "127.0.0.1", port, busPorts[index] ?? 0]);
  }
  for (const node of nodes) await untilHolds("the nodes to know each other", node, () => knowsAll(node, nodes.length));
  for (const [index, port] of ports.slice(masters).entries()) {
    await tell(port, ["CLUSTER", "REPLICATE", ids[Math.floor(index / replicas)] ?? ""]);
  }
  for (const node of nodes) await untilHolds("the Cluster to be whole", node, () => isWhole(node, masters * replicas));
}

/** @throws the first error among the answers. */
async function tell(port: number, ...commands: RedisCommand[]): Promise<readonly RedisAnswer[]> {
  const answers = await askRedis(port, ...commands);
  const refusal = answers.find((answer) => answer instanceof Error);
  if (refusal) throw refusal;
  return answers;
}

async function knowsAll({ port }: LaunchedRedis, count: number): Promise<boolean> {
  const [list] = await tell(port, ["CLUSTER", "NODES"]);
  const lines = String(list).trim().split("\n");
  return lines.length === count && lines.every((line) => !line.includes("handshake") && line.includes(" connected"));
}

async function isWhole({ port }: LaunchedRedis, replicas: number): Promise<boolean> {
  const [info, list, own] = await tell(port, ["CLUSTER", "INFO"], ["CLUSTER", "NODES"], ["INFO", "replication"]);
  const known = String(list)
    .split("\n")
    .filter((line) => line.includes("slave"));
  const synced = !String(own).includes("role:slave") || String(own).includes("master_link_status:up");
  return String(info).includes("cluster_state:ok") && known.length === replicas && synced;
}

function together(nodes: readonly LaunchedRedis[]): RedisCluster {
  const stop = (): Promise<void> => stopAll(nodes);
  return {
    nodes,
    async masterOf(slot) {
      refuseUnless("slot", slot, [0, slotCount - 1]);
      const asked = await Promise.allSettled(nodes.map(({ port }) => tell(port, ["CLUSTER", "SLOTS"])));
      const ports = asked.flatMap((answer) => (answer.status === "fulfilled" ? [masterIn(answer.value[0], slot)] : []));
      const votes = Map.groupBy(ports, (port) => port);
      const [elected] = [...votes].toSorted(([, some], [, others]) => others.length - some.length);
      return nodes.find(({ port }) => port === elected?.[0]);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function masterIn(ranges: RedisAnswer | undefined, slot: number): number | undefined {
  const found = (ranges as readonly SlotRange[]).find(([from, to]) => from <= slot && slot <= to);
  return found?.[2][1];
}

// The master of the range comes first, the replicas after it.
type SlotRange = readonly [from: number, to: number, master: readonly [host: string, port: number]];

function refuseUnless(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}
