/** What a command carries. A number is sent as `String(number)`: pass integers below 1e21. */
export type Argument = string | number | Uint8Array;

/** What a server answers: RESP2 shapes, whatever protocol the client speaks. Maps are flat arrays. */
export type Reply = string | number | null | Uint8Array | readonly Reply[];

/** A Lua script with its identity on the server. The tools in `tools/lua` generate these from `.lua` files. */
export interface Script {
  /** Name for errors and events. */
  readonly name: string;
  /** The Lua text, byte for byte. */
  readonly source: string;
  /** SHA-1 of `source` in lower-case hex: what EVALSHA sends. */
  readonly sha1: string;
  /** How many keys it takes. Absent: any number. */
  readonly keys?: number;
}

/** The keys and arguments of one execution of a script. */
export interface Entry {
  /** `KEYS`. All of them in one hash slot. */
  readonly keys: readonly string[];
  /** `ARGV`. */
  readonly args: readonly Argument[];
}

/** How one call is made. */
export interface CallOptions {
  /** Longest wait for the answer in ms, at most 10 000. Default: that of the connection. */
  readonly deadlineMs?: number;
  /** Answer strings as bytes (`Uint8Array`), for values that are not text. Default `false`. */
  readonly bytes?: boolean;
  /**
   * Lets the keys lie in several hash slots. Works on a server that is not a Cluster only; on a Cluster the call is
   * refused as ever. Default `false`, so that what runs on one server runs on a Cluster too.
   */
  readonly acrossSlots?: boolean;
}

/** A live interest in one channel. */
export interface Subscription {
  /** Whether messages arrive now, as far as this process can know. */
  readonly live: boolean;
  /**
   * Every message that was published before this moment has been delivered. A moment of the connection's clock
   * (`Clock.monotonic`); it stands still while the subscription is in doubt, and is -Infinity before it was ever live.
   */
  readonly deliveredUpToMs: number;
  /** Ends the interest. The listener is not called again. */
  close(): Promise<void>;
}

/** Why a subscription may have missed messages. */
export type Doubt = "connection-lost" | "silence" | "resubscribed" | "unavailable";

/**
 * Redis as Sluice uses it: what writes, what reads, and what listens. Everything that writes is a script, so every
 * operation is atomic and a new client is a few lines.
 */
export interface Redis {
  /** Whether the client beneath may send a command twice. Coalesced batches then carry a nonce. */
  readonly resends: boolean;
  /** Whether this is a Redis Cluster: the keys of one call must share a hash slot. */
  readonly sharded: boolean;
  /** The server that holds a hash slot, in a Cluster that is known by now. Calls to different ones do not queue up. */
  shardOf(slot: number): string;
  /**
   * Runs a script: everything that writes. One round trip; two when the server does not know the script yet.
   *
   * @throws `ERR_SLUICE_REDIS_UNAVAILABLE` when the script has certainly not run.
   * @throws `ERR_SLUICE_REDIS_UNKNOWN` when it was sent and no answer came: it may have run, or may yet.
   * @throws `ERR_SLUICE_REDIS_REPLY` when the server answered with an error.
   * @throws `ERR_SLUICE_REDIS_CROSS_SLOT` before sending, when the keys lie in several hash slots.
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` before sending, for keys that are no strings or not as many as the script
   *   takes, and for arguments that are no strings, finite numbers or bytes.
   */
  run(script: Script, entry: Entry, options?: CallOptions): Promise<Reply>;
  /**
   * Reads from the master, by a command of the list {@link ReadCommand}. One round trip. In a Cluster `SCAN` walks
   * every master in turn: pass the cursor that it answers, begin and end with `"0"`.
   *
   * @throws `ERR_SLUICE_REDIS_UNAVAILABLE` when there was no answer in time: a read has no effect to be unsure about.
   * @throws `ERR_SLUICE_REDIS_REPLY` when the server answered with an error.
   * @throws `ERR_SLUICE_REDIS_NOT_A_READ` before sending, for a command that is not on the list.
   * @throws `ERR_SLUICE_REDIS_CROSS_SLOT` before sending, in a Cluster, when the keys lie in several hash slots.
   */
  read(command: ReadCommand, args: readonly Argument[], options?: CallOptions): Promise<Reply>;
  /**
   * Listens to a channel on a connection of its own. Resolves when the subscription is live, or when the connection's
   * deadline has passed without that: it keeps trying, and `live` says how it stands.
   *
   * @param onMessage - Called with each message, in the order of the server.
   * @param onDoubt - Called whenever messages may have been missed: forget what you derived from them.
   */
  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onDoubt: (doubt: Doubt) => void,
  ): Promise<Subscription>;
}

/** A {@link Redis} together with the connection beneath, which has an end. */
export interface RedisConnection extends Redis, AsyncDisposable {
  /** What is dangerous about the client beneath, as sentences. Empty for `connectRedis`. */
  readonly warnings: readonly string[];
  /**
   * Closes what Sluice opened. New calls and those that wait to be sent are refused, those underway are awaited until
   * their deadline. Closing again waits for the same end.
   */
  close(): Promise<void>;
}

/** The commands that {@link Redis.read} takes. All of them are in Redis 7.0 and in Valkey, and none writes. */
export type ReadCommand =
  | "GET"
  | "MGET"
  | "GETRANGE"
  | "STRLEN"
  | "EXISTS"
  | "TYPE"
  | "PTTL"
  | "HGET"
  | "HMGET"
  | "HGETALL"
  | "HLEN"
  | "SCARD"
  | "SISMEMBER"
  | "SMISMEMBER"
  | "SMEMBERS"
  | "ZCARD"
  | "ZCOUNT"
  | "ZRANGE"
  | "LLEN"
  | "LRANGE"
  | "SCAN"
  | "TIME"
  | "PING";
