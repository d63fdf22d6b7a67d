import { sleep, systemClock } from "@sluice/core";
import { createFaultProxy, respProtocol } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { onTestFinished } from "vitest";

import { redisEvents, type RedisConnection, type RedisEvent } from "../src/index.ts";
import { connectRedis, type ConnectOptions } from "../src/ioredis.ts";

/** A Redis of this test's own, gone when the test ends. */
export async function ownServer(port?: number, engine?: string): Promise<LaunchedRedis> {
  const binary = engine ?? (await findRedis());
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary, ...(port === undefined ? {} : { port }) });
  onTestFinished(() => server.stop());
  return server;
}

/** A client to administer one server with. */
export function adminOf({ port }: Pick<LaunchedRedis, "port">): Ioredis {
  const admin = new Ioredis({ port, retryStrategy: () => 50, maxRetriesPerRequest: null, commandTimeout: 1000 });
  admin.on("error", () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** A connection that is closed when the test ends. */
export function connected(options: ConnectOptions): RedisConnection {
  return closing(connectRedis(options));
}

/** Closes the connection when the test ends. */
export function closing<Connection extends RedisConnection>(connection: Connection): Connection {
  onTestFinished(() => connection.close());
  return connection;
}

/** Waits for something to become true. Fails with what was last seen to be wrong. */
export async function until<T>(work: () => Promise<T> | T, withinMs = 10_000): Promise<T> {
  const dueMs = systemClock.monotonic() + withinMs;
  for (;;) {
    try {
      const value = await work();
      if (value !== false && value !== undefined) return value;
      if (systemClock.monotonic() > dueMs) throw new Error(`not so within ${withinMs} ms`);
    } catch (error) {
      if (systemClock.monotonic() > dueMs) throw error;
    }
    await sleep(systemClock, 10);
  }
}

/** Waits until a port is connected, which may take longer than one call may wait. */
export async function awake(redis: RedisConnection): Promise<void> {
  await until(() => redis.read("PING", []));
}

/** The error that a promise rejects with; fails when it does not. */
export async function rejection(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [outcome] = await Promise.allSettled([work]);
  if (outcome.status === "fulfilled") throw new Error(`It was fulfilled with ${String(outcome.value)}.`);
  return outcome.reason as Error & Record<string, unknown>;
}

/** How long work takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.monotonic();
  await work();
  return systemClock.monotonic() - startedMs;
}

/** What `sluice:redis` tells during this test. */
export function heard(): RedisEvent[] {
  const events: RedisEvent[] = [];
  onTestFinished(redisEvents.subscribe((event) => events.push(event)));
  return events;
}

/** A proxy in front of a server of its own, and a port through it. */
export async function throughProxy(options: object = {}) {
  const server = await ownServer();
  const proxy = await createFaultProxy({ upstream: { host: "127.0.0.1", port: server.port }, protocol: respProtocol });
  onTestFinished(() => proxy.close());
  const redis = connected({ url: proxy.url(server.url), ...options });
  const direct = connected({ url: server.url });
  return { server, proxy, redis, direct };
}

/** Whether a request of a proxied connection runs a script. Clients differ in how they spell a command. */
export function runsScript(request: Buffer): boolean {
  return /\r\neval(sha)?\r\n/i.test(request.toString("latin1"));
}
