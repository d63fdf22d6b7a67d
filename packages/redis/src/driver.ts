import type { Argument } from "./port.ts";

/** One command as it goes to a client. */
export interface Command {
  /** Upper case: ioredis reshapes the answers of commands in lower case. */
  readonly name: string;
  readonly args: readonly Argument[];
  /** Answer strings as bytes. */
  readonly bytes: boolean;
  /** Which server of a Cluster, as one of {@link RedisDriver.servers}; undefined: by the keys. */
  readonly server: string | undefined;
}

/** What a client's rejection means. */
export type Failure =
  /** The server answered with this error. */
  | { readonly kind: "reply"; readonly message: string }
  /** The client never wrote the command. */
  | { readonly kind: "not-sent"; readonly message: string }
  /** The connection ended, or the client gave up, with the command underway. */
  | { readonly kind: "lost"; readonly message: string };

/** What a connection tells about itself. */
export interface DriverListener {
  /** Commands go to the wire from now on. */
  ready(): void;
  /** They no longer do, or a try to connect has failed. `detail` holds no secrets. */
  lost(detail: string): void;
}

/** A connection that only listens. It never comes back: when it closes, another is opened. */
export interface SubscriberLink {
  /** Resolves when the server has confirmed. */
  subscribe(channel: string): Promise<void>;
  /** Resolves when the server has confirmed. */
  unsubscribe(channel: string): Promise<void>;
  /** Resolves when the server has answered, after everything that it sent before. */
  ping(): Promise<void>;
  /** Closes at once, without waiting for the server. */
  close(): void;
}

/** What a {@link SubscriberLink} tells. */
export interface SubscriberListener {
  message(channel: string, message: string): void;
  /** The link has ended. Called at most once. */
  closed(): void;
}

/** A Redis client as Sluice drives it. Each supported client has one of these, of some forty lines. */
export interface RedisDriver {
  /** Name of the client for events, such as `"ioredis"`. */
  readonly client: string;
  /** What is dangerous about the client's options, as sentences. */
  readonly warnings: readonly string[];
  /** Whether the client may send a command twice. */
  readonly resends: boolean;
  /** Whether this is a Redis Cluster. */
  readonly sharded: boolean;
  /** The server that holds the slot, as far as the client knows. */
  shardOf(slot: number): string;
  /** Every master of a Cluster, in a stable order; empty otherwise. */
  servers(): readonly string[];
  /** Whether a command sent now goes to the wire. */
  isReady(): boolean;
  /** Begins to connect, if nothing is underway. */
  connect(): void;
  /** Hears of the connection. Returns the function that ends this. */
  watch(listener: DriverListener): () => void;
  /** Sends a command. Called only while {@link isReady}. */
  send(command: Command): Promise<unknown>;
  /**
   * Runs `work`, which sends several commands to one server of a Cluster, so that they go out in one write. Absent
   * where the client sees to that itself.
   */
  readonly together?: (server: string, work: () => void) => void;
  /** Reads a rejection of {@link send}. */
  failureOf(error: unknown): Failure;
  /** Leaves the server and looks for the master again. Absent where the client belongs to the user. */
  readonly reset?: () => void;
  /** Opens a connection that only listens. Rejects when that fails. */
  openSubscriber(listener: SubscriberListener): Promise<SubscriberLink>;
  /** Closes what belongs to Sluice. */
  close(): Promise<void>;
}
