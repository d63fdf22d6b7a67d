import type { Command, DriverListener, RedisDriver, SubscriberLink, SubscriberListener } from "./driver.ts";
import {
  failureOf,
  openLink,
  stringsAsBytes,
  toNodeRedis,
  warningsAbout,
  type NodeRedisClient,
} from "./node-redis-link.ts";
import type { Argument, ReadCommand } from "./port.ts";
import { keysOfRead } from "./reads.ts";

interface ClusterNode {
  readonly address: string;
  readonly client?: NodeRedisClient | undefined;
}

/** The part of a node-redis Cluster client (5 or later, made by `createCluster`) that Sluice uses. */
export interface NodeRedisCluster {
  /** Whether it has been told to connect. */
  readonly isOpen: boolean;
  /** The masters that it knows. */
  readonly masters: readonly ClusterNode[];
  /** Who holds each hash slot. */
  readonly slots: readonly ({ readonly master: ClusterNode } | undefined)[];
  /** Sends a command to where its first key is. */
  sendCommand(
    firstKey: string | Buffer | undefined,
    isReadonly: boolean | undefined,
    args: (string | Buffer)[],
    options?: { typeMapping?: Record<number, unknown> },
  ): Promise<unknown>;
  /** The client of one node. */
  nodeClient(node: ClusterNode): Promise<NodeRedisClient>;
  /** Listens to an event. */
  on(event: string, listener: () => void): unknown;
  /** Stops listening. */
  off(event: string, listener: () => void): unknown;
}

// It makes the connection anew, to where nobody answers, and asks no other node who is the master now.
const hangs =
  "createCluster() stays on a master that hangs, until it wakes up or refuses connections. Where that counts, use connectRedis.";

/** Drives a Cluster client, which follows MOVED and ASK itself, and sends nothing again after a lost connection. */
export function nodeRedisClusterDriver(cluster: NodeRedisCluster, linkName: string): RedisDriver {
  async function send({ name, args, bytes, server }: Command): Promise<unknown> {
    const sent = [name, ...args.map(toNodeRedis)];
    const options = bytes ? { typeMapping: stringsAsBytes } : undefined;
    if (server === undefined) return cluster.sendCommand(firstKeyOf(name, args), false, sent, options);
    const node = cluster.masters.find(({ address }) => address === server);
    if (!node) throw new Error(`${server} has left the Cluster`);
    return (await cluster.nodeClient(node)).sendCommand(sent, options);
  }

  async function openSubscriber(listener: SubscriberListener): Promise<SubscriberLink> {
    // One that answers, if any: another is asked when the link ends.
    const node = cluster.masters.find(({ client }) => client?.isReady) ?? cluster.masters[0];
    if (!node) throw new Error("no server of the Cluster is known yet");
    return openLink(await cluster.nodeClient(node), listener, linkName);
  }

  return {
    client: "node-redis",
    warnings: [...warningsAbout(defaultsOf(cluster)), hangs],
    resends: false,
    sharded: true,
    shardOf: (slot) => cluster.slots[slot]?.master.address ?? "",
    servers: () => cluster.masters.map(({ address }) => address).toSorted(),
    isReady: () => cluster.isOpen && cluster.masters.length > 0,
    connect: () => {},
    watch: (listener) => watch(cluster, listener),
    send,
    failureOf,
    openSubscriber,
    close: async () => {},
  };
}

function firstKeyOf(name: string, args: readonly Argument[]): string | undefined {
  // A script's keys come after its text and their number.
  if (name.startsWith("EVAL")) return Number(args[1]) > 0 ? String(args[2]) : undefined;
  return keysOfRead(name as ReadCommand, args)[0];
}

function watch(cluster: NodeRedisCluster, listener: DriverListener): () => void {
  const onReady = (): void => listener.ready();
  const onLost = (): void => listener.lost("the connections ended");
  cluster.on("connect", onReady);
  cluster.on("disconnect", onLost);
  return () => {
    cluster.off("connect", onReady);
    cluster.off("disconnect", onLost);
  };
}

/** The options of its nodes, as far as the client shows them. */
function defaultsOf(cluster: NodeRedisCluster): object | undefined {
  const { _options: options } = cluster as { readonly _options?: { readonly defaults?: object } };
  return options?.defaults;
}
