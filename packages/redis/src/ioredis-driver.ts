import { createRedis, roleOf, type RedisOptions } from "./connection.ts";
import type { Command, DriverListener, Failure, RedisDriver } from "./driver.ts";
import { openIoredisLink, type IoredisLinkClient } from "./ioredis-link.ts";
import { warningsAboutIoredis } from "./ioredis-options.ts";
import type { Argument, RedisConnection } from "./port.ts";

/** The part of an ioredis client (5.4 or later, 6; `Redis` or `Cluster`) that Sluice uses. */
export interface IoredisClient {
  /** Where the connection stands. */
  readonly status: string;
  /** What it was created with. Read, never written. */
  readonly options: object;
  /** Sends a command, strings as text. */
  call(command: string, args: (string | Buffer | number)[]): Promise<unknown>;
  /** Sends a command, strings as bytes. */
  callBuffer(command: string, args: (string | Buffer | number)[]): Promise<unknown>;
  /** Begins to connect a lazy client. */
  connect(): Promise<void>;
  /** Ends the connection. */
  disconnect(reconnect?: boolean): void;
  /** Listens to an event. */
  on(event: string, listener: (error?: Error) => void): unknown;
  /** Stops listening. */
  off(event: string, listener: (error?: Error) => void): unknown;
}

interface NodeClient extends IoredisLinkClient {
  /** The socket, once there is one. */
  readonly stream?: { cork(): void; uncork(): void } | null;
}

interface ClusterClient extends IoredisClient {
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: "master"): NodeClient[];
}

/**
 * Sluice's port over an ioredis client of yours, which is neither changed nor closed. Options that can hurt are named
 * in `warnings` and by the event `client-warning` of `sluice:redis`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function fromIoredis(client: IoredisClient, options: RedisOptions = {}): RedisConnection {
  const warnings = warningsAboutIoredis(client);
  return createRedis(ioredisDriver(client, { warnings, role: roleOf(options), owned: false }), options);
}

/** Whose client it is, and what is known about it. */
export interface IoredisDriverOptions {
  readonly warnings: readonly string[];
  readonly role: string;
  /** Whether Sluice created the client, and so may disconnect it. */
  readonly owned: boolean;
}

/** Drives ioredis 5 and 6, standalone, behind Sentinel or as a Cluster. */
export function ioredisDriver(client: IoredisClient, { warnings, role, owned }: IoredisDriverOptions): RedisDriver {
  const cluster = isCluster(client) ? client : undefined;
  const linkName = `sluice:${role}:subscriber`;

  function nodeOf(server: string): NodeClient | undefined {
    return nodesOf(cluster).find((node) => nameOf(node) === server);
  }

  /** ioredis writes each command by itself; the socket can be told to wait for more. */
  function together(server: string, work: () => void): void {
    const stream = nodeOf(server)?.stream;
    stream?.cork();
    try {
      work();
    } finally {
      stream?.uncork();
    }
  }

  function send({ name, args, bytes, server }: Command): Promise<unknown> {
    const target = server === undefined ? client : nodeOf(server);
    if (!target) return Promise.reject(new Error(notWritable));
    const sent = args.some(isForeign) ? args.map(toIoredis) : (args as (string | Buffer | number)[]);
    const spelled = spellings[name] ?? name;
    return bytes ? target.callBuffer(spelled, sent) : target.call(spelled, sent);
  }

  return {
    client: "ioredis",
    warnings,
    resends: resends(client),
    sharded: cluster !== undefined,
    shardOf: (slot) => cluster?.slots[slot]?.[0] ?? "",
    servers: () => nodesOf(cluster).map(nameOf).toSorted(),
    isReady: () => client.status === "ready",
    connect() {
      // "end" is final for a user's client: they have closed it.
      if (client.status === "wait" || (owned && client.status === "end")) client.connect().catch(() => {});
    },
    watch: (listener) => watch(client, listener, owned),
    send,
    ...(cluster ? { together } : {}),
    failureOf,
    ...(owned ? { reset: () => client.disconnect(true) } : {}),
    openSubscriber: (listener) => openIoredisLink(linkSource(client, cluster), { listener, name: linkName }),
    close: async () => {
      if (owned) client.disconnect();
    },
  };
}

// ioredis looks up what it knows about a command by its name in lower case, several times per call. The answers of
// these two it does not reshape.
const spellings: Readonly<Record<string, string>> = { EVALSHA: "evalsha", EVAL: "eval" };

const ended = "the connection ended";

function watch(client: IoredisClient, listener: DriverListener, owned: boolean): () => void {
  let detail = ended;
  const onError = (error?: Error): void => {
    detail = error?.message ?? detail;
    // Sentinels that cannot be reached end no connection, as there is none yet.
    if (client.status === "connecting") listener.lost(detail);
  };
  const onClose = (): void => listener.lost(detail);
  const onReady = (): void => {
    detail = ended;
    listener.ready();
  };
  const events = [["ready", onReady] as const, ["close", onClose] as const];
  // On a user's client a listener for errors would silence ioredis' own report of them.
  const all = owned ? [...events, ["error", onError] as const] : events;
  for (const [event, call] of all) client.on(event, call);
  return () => {
    // The one for errors stays: without it ioredis prints.
    for (const [event, call] of events) client.off(event, call);
  };
}

const notWritable = "Stream isn't writeable and enableOfflineQueue options is false";
const notSent = new Set([notWritable, "Cluster isn't ready and enableOfflineQueue options is false"]);

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === "ReplyError") return { kind: "reply", message };
  return { kind: notSent.has(message) ? "not-sent" : "lost", message };
}

// ioredis sends a Uint8Array that is no Buffer as the text of its numbers.
function isForeign(argument: Argument): boolean {
  return typeof argument === "object" && !Buffer.isBuffer(argument);
}

function toIoredis(argument: Argument): string | Buffer | number {
  if (typeof argument !== "object" || Buffer.isBuffer(argument)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}

function resends(client: IoredisClient): boolean {
  const options = client.options as Readonly<Record<string, unknown>>;
  if (isCluster(client)) return Number(options["retryDelayOnFailover"]) > 0;
  return options["autoResendUnfulfilledCommands"] !== false;
}

function isCluster(client: IoredisClient): client is ClusterClient {
  return "isCluster" in client && client.isCluster === true;
}

function nodesOf(cluster: ClusterClient | undefined): NodeClient[] {
  return cluster?.nodes("master") ?? [];
}

function nameOf({ options }: IoredisLinkClient): string {
  const { host, port } = options as { readonly host?: string; readonly port?: number };
  return `${host}:${port}`;
}

function linkSource(client: IoredisClient, cluster: ClusterClient | undefined): IoredisLinkClient | undefined {
  if (!cluster) return client as IoredisLinkClient;
  const nodes = nodesOf(cluster);
  // One that answers, if any: another is asked when the link ends.
  return nodes.find(({ status }) => status === "ready") ?? nodes[0];
}
