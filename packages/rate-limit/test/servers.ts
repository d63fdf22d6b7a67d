import type { RedisConnection } from "@sluice/redis";
import { connectRedis, type ConnectOptions } from "@sluice/redis/ioredis";
import { createFaultProxy, respProtocol } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { onTestFinished } from "vitest";

/** A Redis of this test's own, gone when the test ends. */
export async function ownServer(port?: number): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary, ...(port === undefined ? {} : { port }) });
  onTestFinished(() => server.stop());
  return server;
}

/** A connection that is closed when the test ends. */
export function connected(options: ConnectOptions): RedisConnection {
  const connection = connectRedis(options);
  onTestFinished(() => connection.close());
  return connection;
}

/** A connection to a server of its own through a proxy, and one past it. */
export async function throughProxy() {
  const server = await ownServer();
  const proxy = await createFaultProxy({ upstream: { host: "127.0.0.1", port: server.port }, protocol: respProtocol });
  onTestFinished(() => proxy.close());
  return {
    server,
    proxy,
    redis: connected({ url: proxy.url(server.url), deadlineMs: 2000 }),
    direct: connected({ url: server.url, deadlineMs: 2000 }),
  };
}
