import path from "node:path";

import { findProgram } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { Redis as Ioredis5 } from "ioredis-5";
import { createClient } from "redis";
import { onTestFinished } from "vitest";

import type { RedisConnection } from "../src/index.ts";
import { fromIoredis, type IoredisClient } from "../src/ioredis.ts";
import { fromNodeRedis } from "../src/node-redis.ts";
import { closing } from "./servers.ts";

/** Options of node-redis that nothing is to be warned about. */
export const safeNodeRedis = {
  disableOfflineQueue: true,
  pingInterval: 500,
  socket: { socketTimeout: 1500, reconnectStrategy: (retries: number) => Math.min(25 * 2 ** retries, 1000) },
};

/** Opens a port over a client of each kind that a user may bring, with the options that it has by default. */
export const clients: Readonly<Record<string, (port: number) => Promise<RedisConnection>>> = {
  "ioredis 6": async (port) => usersIoredis(new Ioredis(port, "127.0.0.1", { lazyConnect: true })),
  "ioredis 5": async (port) => usersIoredis(new Ioredis5(port, "127.0.0.1", { lazyConnect: true })),
  "node-redis": async (port) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    return closing(fromNodeRedis(client));
  },
};

function usersIoredis(client: IoredisClient): RedisConnection {
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return closing(fromIoredis(client, { deadlineMs: 1000 }));
}

const engines = ["redis-server", "valkey-server"].flatMap((name) => findProgram(name) ?? []);
/** On each of the two engines that is installed: where only Redis is, Valkey has to be believed. */
export const everyClient = engines.flatMap((engine) =>
  Object.entries(clients).map(([name, open]) => ({ name, open, engine, on: path.basename(engine) })),
);
