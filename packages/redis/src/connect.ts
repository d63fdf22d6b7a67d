import { InvalidArgumentError, systemRandom, type Random } from "@sluice/core";
import {
  Cluster,
  Redis as Ioredis,
  type ClusterOptions as AnyClusterOptions,
  type RedisOptions as AnyRedisOptions,
} from "ioredis";

import { addressOf, type AddressOptions, type Target } from "./address.ts";
import { createRedis, roleOf, type RedisOptions } from "./connection.ts";
import { ioredisDriver, type IoredisClient } from "./ioredis-driver.ts";
import { outliveSockets } from "./ioredis-sockets.ts";
import type { RedisConnection } from "./port.ts";

export type { Address, AddressOptions } from "./address.ts";

/** Where to connect to, and how to use the connection. */
export interface ConnectOptions extends RedisOptions, AddressOptions {
  /** TLS settings as of `node:tls`; `true` for the usual ones. */
  readonly tls?: boolean | object;
  /** Spreads reconnects of many processes. Default: {@link systemRandom}. */
  readonly random?: Random;
}

type IoredisOptions = AnyRedisOptions & { replyMapping: "legacy" };
type ClusterOptions = AnyClusterOptions & { redisOptions: IoredisOptions };

// A hung server is left after this long without a byte, measured to be what makes failover work.
const socketTimeoutMs = 1500;
const connectTimeoutMs = 1000;
const firstPauseMs = 25;
const longestPauseMs = 1000;

/**
 * Connects with ioredis 6, with options under which nothing is sent twice, nothing hangs and a failover needs no
 * restart. Lazy: the first call connects.
 *
 * @param target - A URL, or options.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option; a URL is never shown.
 */
export function connectRedis(target: string | ConnectOptions): RedisConnection {
  const options = typeof target === "string" ? { url: target } : target;
  if (typeof options !== "object" || options === null) {
    throw new InvalidArgumentError("target", "a URL or options", options);
  }
  const role = roleOf(options);
  const client = clientFor(addressOf(options), options, role);
  outliveSockets(client);
  return createRedis(ioredisDriver(client, { warnings: [], role, owned: true }), options);
}

function clientFor(target: Target, { tls, random = systemRandom }: ConnectOptions, role: string): IoredisClient {
  const pause = (times: number): number => pauseMs(times, random);
  const secured = target.tls || (tls !== undefined && tls !== false);
  const common: IoredisOptions = {
    replyMapping: "legacy",
    connectionName: `sluice:${role}`,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: connectTimeoutMs,
    socketTimeout: socketTimeoutMs,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(secured ? { tls: typeof tls === "object" ? tls : {} } : {}),
  };
  if (target.kind === "cluster") return new Cluster([...target.addresses], clusterOptions(common, pause));
  const single: IoredisOptions = {
    ...common,
    db: target.db,
    retryStrategy: pause,
  };
  const [first] = target.addresses;
  if (target.kind === "server") return new Ioredis({ ...single, ...first });
  return new Ioredis({
    ...single,
    sentinels: [...target.addresses],
    name: target.name,
    failoverDetector: true,
    sentinelRetryStrategy: pause,
    sentinelCommandTimeout: connectTimeoutMs,
    ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword }),
    ...(secured ? { enableTLSForSentinelMode: true } : {}),
  });
}

function clusterOptions(redisOptions: IoredisOptions, pause: (times: number) => number): ClusterOptions {
  return {
    redisOptions,
    lazyConnect: true,
    // Without it a call is rejected while the connection to its node is being made. Sluice sends nothing before the
    // Cluster is ready, so only those few ever wait there.
    enableOfflineQueue: true,
    // Any other value sends a command again after its connection was lost, applied or not.
    retryDelayOnFailover: 0,
    clusterRetryStrategy: pause,
    maxRedirections: 6,
    scaleReads: "master",
    slotsRefreshTimeout: connectTimeoutMs,
  };
}

function pauseMs(times: number, random: Random): number {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(times, 16));
  return Math.ceil(longest * (0.5 + random.float() / 2));
}
