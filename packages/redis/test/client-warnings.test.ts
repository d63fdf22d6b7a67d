import { Cluster, Redis as Ioredis } from "ioredis";
import { createClient, createCluster } from "redis";
import { expect, it } from "vitest";

import { fromIoredis } from "../src/ioredis.ts";
import { fromNodeRedis } from "../src/node-redis.ts";
import { safeNodeRedis } from "./every-client.ts";

const lazyConnect = true;
const safe = {
  lazyConnect,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  socketTimeout: 1500,
  reconnectOnError: () => false,
};
const safeCluster = {
  lazyConnect,
  enableOfflineQueue: false,
  retryDelayOnFailover: 0,
  scaleReads: "master" as const,
  redisOptions: { socketTimeout: 1500 },
};
const nodes = [{ host: "127.0.0.1", port: 1 }];
const sentinels = { sentinels: nodes, name: "main", failoverDetector: true };

function warned(options: object): (string | undefined)[] {
  return named(fromIoredis(new Ioredis({ ...safe, ...options })).warnings);
}

function warnedOfCluster(options: object): (string | undefined)[] {
  return named(fromIoredis(new Cluster(nodes, { ...safeCluster, ...options })).warnings);
}

/** Each warning begins with the option that it is about. */
function named(warnings: readonly string[]): (string | undefined)[] {
  return warnings.map((warning) => warning.split(" ")[0]);
}

it.each([
  ["nothing", {}, []],
  ["nothing behind Sentinels", sentinels, []],
  ["commands that may run twice", { autoResendUnfulfilledCommands: true }, ["autoResendUnfulfilledCommands"]],
  ["a queue while there is no connection", { enableOfflineQueue: true }, ["enableOfflineQueue"]],
  ["retries", { maxRetriesPerRequest: 2 }, ["maxRetriesPerRequest"]],
  ["retries without an end", { maxRetriesPerRequest: null }, ["maxRetriesPerRequest"]],
  ["a hung server that is never left", { socketTimeout: undefined }, ["socketTimeout"]],
  ["a replaced master that is never left", { ...sentinels, failoverDetector: false }, ["failoverDetector"]],
  ["a demoted master that is never left", { reconnectOnError: null }, ["reconnectOnError"]],
  ["keys that move to other slots", { keyPrefix: "shop:" }, ["keyPrefix"]],
])("a client of ioredis is warned about %s", (_, options, expected) => {
  expect(warned(options)).toEqual(expected);
});

it.each([
  ["nothing", {}, []],
  ["commands that may run twice", { retryDelayOnFailover: 100 }, ["retryDelayOnFailover"]],
  ["a queue while there is no connection", { enableOfflineQueue: true }, ["enableOfflineQueue"]],
  ["a hung node that is never left", { redisOptions: {} }, ["socketTimeout"]],
  ["keys that move to other slots", { redisOptions: { socketTimeout: 1500, keyPrefix: "shop:" } }, ["keyPrefix"]],
  ["reads of replicas", { scaleReads: "slave" }, ["scaleReads"]],
])("a Cluster of ioredis is warned about %s", (_, options, expected) => {
  expect(warnedOfCluster(options)).toEqual(expected);
});

it.each([
  ["what they leave out", {}, ["disableOfflineQueue", "socket.socketTimeout"]],
  ["nothing", safeNodeRedis, []],
  ["nothing where the delay is a number", { socket: { ...safeNodeRedis.socket, reconnectStrategy: 100 } }, []],
  ["idle connections that are ended", { pingInterval: undefined }, ["pingInterval"]],
  ["idle connections that are ended before they speak", { pingInterval: 1500 }, ["pingInterval"]],
  ["an end for good", { socket: { socketTimeout: 1500 } }, ["socket.reconnectStrategy"]],
  [
    "an end that is asked for",
    { socket: { socketTimeout: 1500, reconnectStrategy: false as const } },
    ["socket.reconnectStrategy"],
  ],
])("a client of node-redis is warned by its options about %s", (_, options, expected) => {
  const all = Object.keys(options).length === 0 ? {} : { ...safeNodeRedis, ...options };
  expect(named(fromNodeRedis(createClient(all)).warnings)).toEqual(expected);
});

it("a Cluster of node-redis is warned about its options, and that it stays on a master that hangs", () => {
  const rootNodes = [{ url: "redis://127.0.0.1:1" }];
  expect(named(fromNodeRedis(createCluster({ rootNodes })).warnings)).toEqual([
    "disableOfflineQueue",
    "socket.socketTimeout",
    "createCluster()",
  ]);
  const careful = createCluster({ rootNodes, defaults: safeNodeRedis });
  expect(named(fromNodeRedis(careful).warnings)).toEqual(["createCluster()"]);
});
