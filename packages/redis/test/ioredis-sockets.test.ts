import { EventEmitter } from "node:events";

import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { outliveSockets } from "../src/ioredis-sockets.ts";
import { until } from "./servers.ts";

/** A client that nobody answers, with its socket. */
async function refused(prepare: (client: Ioredis) => void): Promise<EventEmitter> {
  const client = new Ioredis({ port: 1, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
  onTestFinished(() => client.disconnect());
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  prepare(client);
  client.connect().catch(() => {});
  await until(() => errors.length > 0);
  return client.stream;
}

it("a second error of a socket does not end the process", async () => {
  const again = new Error("alert decode error");
  const alone = await refused(() => {});
  expect(() => alone.emit("error", again)).toThrow(again);
  const kept = await refused(outliveSockets);
  expect(() => kept.emit("error", again)).not.toThrow();
});

it("nor does one of a node of a Cluster", async () => {
  const cluster = new EventEmitter();
  outliveSockets(cluster);
  const kept = await refused((client) => cluster.emit("+node", client));
  expect(() => kept.emit("error", new Error("alert decode error"))).not.toThrow();
});
