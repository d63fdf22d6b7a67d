import { InvalidArgumentError } from "@sluice/core";

import { createRedis, roleOf, type RedisOptions } from "./connection.ts";
import type { Command, DriverListener, RedisDriver } from "./driver.ts";
import { nodeRedisClusterDriver, type NodeRedisCluster } from "./node-redis-cluster.ts";
import {
  failureOf,
  openLink,
  stringsAsBytes,
  toNodeRedis,
  warningsAbout,
  type NodeRedisClient,
} from "./node-redis-link.ts";
import type { RedisConnection } from "./port.ts";

export type { NodeRedisCluster } from "./node-redis-cluster.ts";
export type { NodeRedisClient } from "./node-redis-link.ts";

/**
 * Sluice's port over a node-redis client of yours, which is neither changed, connected nor closed. Options that can
 * hurt are named in `warnings` and by the event `client-warning` of `sluice:redis`.
 *
 * @param client - Made by `createClient`, or by `createCluster`.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a pool or a Sentinel client, and naming a wrong option.
 */
export function fromNodeRedis(client: NodeRedisClient | NodeRedisCluster, options: RedisOptions = {}): RedisConnection {
  const linkName = `sluice:${roleOf(options)}:subscriber`;
  if ("nodeClient" in client && "masters" in client) {
    return createRedis(nodeRedisClusterDriver(client, linkName), options);
  }
  if (!("duplicate" in client && "sendCommand" in client) || "getMasterNode" in client) {
    throw new InvalidArgumentError("client", "one made by createClient() or createCluster() of node-redis", client);
  }
  return createRedis(driver(client, linkName), options);
}

function driver(client: NodeRedisClient, linkName: string): RedisDriver {
  return {
    client: "node-redis",
    warnings: warningsAbout(client.options),
    // It rejects what was underway when a connection ends, and sends it never again.
    resends: false,
    sharded: false,
    shardOf: () => "",
    servers: () => [],
    isReady: () => client.isReady,
    connect: () => {},
    watch: (listener) => watch(client, listener),
    send: ({ name, args, bytes }: Command) =>
      client.sendCommand([name, ...args.map(toNodeRedis)], bytes ? { typeMapping: stringsAsBytes } : undefined),
    failureOf,
    openSubscriber: (listener) => openLink(client, listener, linkName),
    close: async () => {},
  };
}

function watch(client: NodeRedisClient, listener: DriverListener): () => void {
  const onReady = (): void => listener.ready();
  const onLost = (): void => listener.lost("the connection ended");
  const events = [["ready", onReady] as const, ["reconnecting", onLost] as const, ["end", onLost] as const];
  for (const [event, call] of events) client.on(event, call);
  return () => {
    for (const [event, call] of events) client.off(event, call);
  };
}
