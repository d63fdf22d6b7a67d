import { connectRedis, type ConnectOptions } from "@sluice/redis/ioredis";
import { createFaultProxy, respProtocol } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { onTestFinished } from "vitest";

import { createLocks, type Locks, type LocksOptions } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";

/** A server of this test alone. */
export async function ownServer(): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary });
  onTestFinished(() => server.stop());
  return server;
}

export async function behindProxy() {
  const server = await ownServer();
  const proxy = await createFaultProxy({ upstream: { host: "127.0.0.1", port: server.port }, protocol: respProtocol });
  onTestFinished(() => proxy.close());
  return { server, proxy };
}

export function locksAt(options: ConnectOptions, rest: LocksOptions = {}): Locks {
  const redis = connectRedis(options);
  onTestFinished(() => redis.close());
  return createLocks({ ...rest, store: redisStore(redis) });
}

/** A client of the test's own, for what the port does not offer. */
export function admin(server: LaunchedRedis): Ioredis {
  const client = new Ioredis(server.url);
  onTestFinished(() => client.disconnect());
  return client;
}
