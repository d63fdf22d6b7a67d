import { InvalidArgumentError } from "@sluice/core";

import { createRedis, type RedisOptions } from "./connection.ts";
import type { Command, DriverListener, Failure, RedisDriver, SubscriberLink, SubscriberListener } from "./driver.ts";
import type { Argument, RedisConnection } from "./port.ts";

/** The part of a node-redis client (5 or later, made by `createClient`) that Sluice uses. */
export interface NodeRedisClient {
  /** Whether it has been told to connect. */
  readonly isOpen: boolean;
  /** Whether commands go to the wire. */
  readonly isReady: boolean;
  /** What it was created with. Read, never written. */
  readonly options?: object | undefined;
  /** Sends a command. */
  sendCommand(args: (string | Buffer)[], options?: { typeMapping?: Record<number, unknown> }): Promise<unknown>;
  /** A client with the same options. */
  duplicate(overrides: object): object;
  /** Listens to an event. */
  on(event: string, listener: () => void): unknown;
  /** Stops listening. */
  off(event: string, listener: () => void): unknown;
}

interface LinkClient extends NodeRedisClient {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string, channel: string) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  destroy(): void;
}

/**
 * Sluice's port over a node-redis client of yours, which is neither changed, connected nor closed. Options that can
 * hurt are named in `warnings` and by the event `client-warning` of `sluice:redis`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a Cluster, pool or Sentinel client, and naming a wrong option.
 */
export function fromNodeRedis(client: NodeRedisClient, options: RedisOptions = {}): RedisConnection {
  if (!("duplicate" in client && "sendCommand" in client) || "masters" in client || "getMasterNode" in client) {
    throw new InvalidArgumentError("client", "one made by createClient() of node-redis", client);
  }
  return createRedis(driver(client, `sluice:${options.role ?? "app"}:subscriber`), options);
}

function driver(client: NodeRedisClient, linkName: string): RedisDriver {
  return {
    client: "node-redis",
    warnings: warningsAbout(client),
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

// The types of RESP strings: "$" blob, "+" simple.
const stringsAsBytes = { 36: Buffer, 43: Buffer };

function toNodeRedis(argument: Argument): string | Buffer {
  if (typeof argument !== "object") return String(argument);
  return Buffer.isBuffer(argument) ? argument : Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
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

const replies = new Set(["ErrorReply", "SimpleError", "BlobError"]);
const unsent = new Set(["ClientOfflineError", "ClientClosedError"]);

function failureOf(error: unknown): Failure {
  const { constructor, message } = error instanceof Error ? error : new Error(String(error));
  if (replies.has(constructor.name)) return { kind: "reply", message };
  return { kind: unsent.has(constructor.name) ? "not-sent" : "lost", message };
}

async function openLink(client: NodeRedisClient, listener: SubscriberListener, name: string): Promise<SubscriberLink> {
  const { socket } = (client.options ?? {}) as { readonly socket?: object };
  const once = { ...socket, reconnectStrategy: false, connectTimeout: 1000, socketTimeout: undefined };
  const link = client.duplicate({ socket: once, name, disableOfflineQueue: true }) as LinkClient;
  let isClosed = false;
  const closed = (): void => {
    if (isClosed) return;
    isClosed = true;
    listener.closed();
  };
  for (const event of ["error", "end", "reconnecting"]) link.on(event, closed);
  await link.connect();
  return {
    subscribe: (channel) => link.subscribe(channel, (message) => listener.message(channel, message)),
    unsubscribe: (channel) => link.unsubscribe(channel),
    ping: async () => void (await link.sendCommand(["PING"])),
    close: () => {
      if (link.isOpen) link.destroy();
      closed();
    },
  };
}

function warningsAbout({ options = {} }: NodeRedisClient): string[] {
  const { disableOfflineQueue, socket } = options as {
    readonly disableOfflineQueue?: boolean;
    readonly socket?: { readonly socketTimeout?: number };
  };
  return [
    ...(disableOfflineQueue === true
      ? []
      : ["disableOfflineQueue is not set: other users of this client wait while Redis is away. Set it to true."]),
    ...(Number(socket?.socketTimeout) > 0
      ? []
      : ["socket.socketTimeout is not set: the client may stay on a hung server for good. Set it to 1500."]),
  ];
}
