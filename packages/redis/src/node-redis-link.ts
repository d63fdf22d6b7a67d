import type { Failure, SubscriberLink, SubscriberListener } from "./driver.ts";
import type { Argument } from "./port.ts";

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

/** The types of RESP strings, blob and simple, as bytes. */
export const stringsAsBytes = { 36: Buffer, 43: Buffer };

/** An argument as node-redis takes it. */
export function toNodeRedis(argument: Argument): string | Buffer {
  if (typeof argument !== "object") return String(argument);
  return Buffer.isBuffer(argument) ? argument : Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}

const replies = new Set(["ErrorReply", "SimpleError", "BlobError"]);
const unsent = new Set(["ClientOfflineError", "ClientClosedError"]);

/** Reads a rejection of node-redis. */
export function failureOf(error: unknown): Failure {
  const { constructor, message } = error instanceof Error ? error : new Error(String(error));
  if (replies.has(constructor.name)) return { kind: "reply", message };
  return { kind: unsent.has(constructor.name) ? "not-sent" : "lost", message };
}

/** Opens a listening connection with the options of `client`. */
export async function openLink(
  client: NodeRedisClient,
  listener: SubscriberListener,
  name: string,
): Promise<SubscriberLink> {
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
  const inTurn = createTurns();
  // One for all channels: the client calls every listener of a channel, and keeps the same one once.
  const heard = (message: string, channel: string): void => listener.message(channel, message);
  await link.connect();
  return {
    subscribe: (channel) => inTurn(channel, () => link.subscribe(channel, heard)),
    unsubscribe: (channel) => inTurn(channel, () => link.unsubscribe(channel)),
    ping: async () => void (await link.sendCommand(["PING"])),
    close: () => {
      if (link.isOpen) link.destroy();
      closed();
    },
  };
}

/**
 * One piece of work after the other per channel. While node-redis unsubscribes, it takes a new listener without telling
 * the server, and forgets it with the old one.
 */
function createTurns(): (channel: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (channel, work) => {
    const turn = (last.get(channel) ?? Promise.resolve()).then(work, work);
    const over = (): void => {
      if (last.get(channel) === turn) last.delete(channel);
    };
    last.set(channel, turn);
    turn.then(over, over);
    return turn;
  };
}

interface Options {
  readonly disableOfflineQueue?: boolean;
  readonly pingInterval?: number;
  readonly socket?: { readonly socketTimeout?: number; readonly reconnectStrategy?: unknown };
}

interface Danger {
  readonly applies: (options: Options) => boolean;
  readonly warning: string;
}

const dangers: readonly Danger[] = [
  {
    applies: ({ disableOfflineQueue }) => disableOfflineQueue !== true,
    warning: "disableOfflineQueue is not set: other users of this client wait while Redis is away. Set it to true.",
  },
  {
    applies: (options) => !hasTimeout(options),
    warning:
      "socket.socketTimeout is not set: the client may stay on a hung server for good. Set it to 1500, with a pingInterval and a reconnectStrategy.",
  },
  {
    // It counts the time without traffic, not the time without an answer.
    applies: (options) =>
      hasTimeout(options) && !(Number(options.pingInterval) < Number(options.socket?.socketTimeout)),
    warning:
      "pingInterval is not below socket.socketTimeout: an idle connection is ended as if it hung. Set it to 500.",
  },
  {
    applies: (options) =>
      hasTimeout(options) && !["function", "number"].includes(typeof options.socket?.reconnectStrategy),
    warning:
      "socket.reconnectStrategy is not set: after a socketTimeout the client stays closed for good. Set it to a function that answers a delay.",
  },
];

function hasTimeout({ socket }: Options): boolean {
  return Number(socket?.socketTimeout) > 0;
}

/** What is dangerous about the options of a client, a sentence each. */
export function warningsAbout(options: object = {}): string[] {
  return dangers.filter(({ applies }) => applies(options)).map(({ warning }) => warning);
}
