import { InvalidArgumentError } from "@sluice/core";

import { onPorts } from "../services/free-port.ts";
import type { LaunchedRedis } from "../services/launch-redis.ts";
import { askRedis } from "../services/redis-exchange.ts";
import { launchNode, redisBinary, replicationOf, startAll, stopAll, untilHolds } from "./redis-nodes.ts";
import { launchSentinel, masterName, type RedisSentinel } from "./sentinel.ts";

/** How {@link startRedisSentinels} runs its servers. */
export interface RedisSentinelsOptions {
  /** `redis-server` or `valkey-server`. Default: the one on this machine, see `findRedis`. */
  readonly binary?: string;
  /** Directives of `redis.conf` for both nodes. Default: nothing is written to disk. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** How long a master may be silent before the Sentinels elect another, in ms, from 100 to 60 000. Default 500. */
  readonly downAfterMs?: number;
}

/** A master and its replica, watched by three Sentinels. */
export interface RedisSentinels extends AsyncDisposable {
  /** What the Sentinels call the master: `mymaster`. */
  readonly masterName: string;
  /** The node that began as the master, then the one that began as its replica. */
  readonly nodes: readonly [LaunchedRedis, LaunchedRedis];
  /** The three Sentinels. Two of them elect. */
  readonly sentinels: readonly RedisSentinel[];
  /** The node that is the master to all Sentinels that answer, or `undefined` while they differ. One round trip. */
  master(): Promise<LaunchedRedis | undefined>;
  /** Ends all servers and removes their folders. Idempotent. */
  stop(): Promise<void>;
}

const sentinelCount = 3;

/**
 * Runs a Redis or Valkey with a replica and three Sentinels on free ports of 127.0.0.1. When it resolves, the replica
 * has all that its master has, and the Sentinels know of both and of each other: a failover may begin at once. All
 * servers end with this process and leave no folder behind.
 *
 * Takes about a second. To have a failover, end the master by its `pid`: a new one is elected about two seconds after
 * it has been silent for `downAfterMs`.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` where no `binary` is given and the machine has none.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a `downAfterMs` out of its range.
 * @throws `ERR_SLUICE_SERVER_START` with the last lines of the log of the server that did not start.
 */
export async function startRedisSentinels(options: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
  const { settings = {}, downAfterMs = 500 } = options;
  if (!(Number.isInteger(downAfterMs) && downAfterMs >= 100 && downAfterMs <= 60_000)) {
    throw new InvalidArgumentError("downAfterMs", "a whole number from 100 to 60000", downAfterMs);
  }
  const binary = await redisBinary(options.binary);
  return onPorts(2 + sentinelCount, async ([first = 0, second = 0, ...ports]) => {
    const nodes = await startNodes({ binary, settings }, first, second);
    try {
      const plan = { binary, masterPort: first, replicaPort: second, ports, downAfterMs };
      const sentinels = await startAll(ports.map((port) => launchSentinel(plan, port)));
      const topology = together(nodes, sentinels);
      await settled(topology);
      return topology;
    } catch (error) {
      await stopAll(nodes);
      throw error;
    }
  });
}

type Nodes = RedisSentinels["nodes"];

async function startNodes(
  common: Required<Pick<RedisSentinelsOptions, "binary" | "settings">>,
  masterPort: number,
  replicaPort: number,
): Promise<Nodes> {
  const replicaof = { replicaof: `127.0.0.1 ${masterPort}` };
  const [master, replica] = await startAll([
    launchNode({ ...common, port: masterPort }),
    launchNode({ ...common, port: replicaPort, settings: { ...common.settings, ...replicaof } }),
  ]);
  if (!master || !replica) throw new Error("A node is missing.");
  await untilHolds("the replica's first copy", replica, async () => {
    const [own, seen] = await Promise.all([replicationOf(replicaPort), replicationOf(masterPort)]);
    return own.get("master_link_status") === "up" && (seen.get("slave0") ?? "").includes("state=online");
  });
  return [master, replica];
}

/** Waits until every Sentinel could fail over. */
async function settled(topology: RedisSentinels): Promise<void> {
  try {
    for (const sentinel of topology.sentinels) {
      await untilHolds("the Sentinels to know each other", sentinel, () => couldFailOver(sentinel));
    }
  } catch (error) {
    await topology.stop();
    throw error;
  }
}

async function couldFailOver({ port }: RedisSentinel): Promise<boolean> {
  const [replicas, quorum] = await askRedis(
    port,
    ["SENTINEL", "REPLICAS", masterName],
    ["SENTINEL", "CKQUORUM", masterName],
  );
  const flat = Array.isArray(replicas) ? (replicas[0] as readonly string[] | undefined) : undefined;
  const fact = (name: string): string | undefined => flat?.[flat.indexOf(name) + 1];
  return fact("flags") === "slave" && fact("master-host") !== "?" && String(quorum).startsWith(`OK ${sentinelCount} `);
}

function together(nodes: Nodes, sentinels: readonly RedisSentinel[]): RedisSentinels {
  // Sentinels first: they would take the end of the nodes for an outage.
  const stop = async (): Promise<void> => {
    await stopAll(sentinels);
    await stopAll(nodes);
  };
  return {
    masterName,
    nodes,
    sentinels,
    async master() {
      const asked = sentinels.map(({ port }) => askRedis(port, ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName]));
      const answers = (await Promise.allSettled(asked)).flatMap((each) =>
        each.status === "fulfilled" ? each.value : [],
      );
      const ports = new Set(answers.map((address) => (Array.isArray(address) ? Number(address[1]) : 0)));
      return ports.size === 1 ? nodes.find(({ port }) => ports.has(port)) : undefined;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
