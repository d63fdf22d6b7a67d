import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";
import {
  createCoalescer,
  createReader,
  type Coalescer,
  type Reader,
  type Redis,
  type Reply,
  type Script,
} from "@sluice/redis";

import type { Bump, CacheStore, Claim, Claimed, PushListener, Pushes, Put, Snapshot } from "../store.ts";
import { createReconnects, type Reconnects } from "./reconnects.ts";
import {
  acquireScript,
  bumpScript,
  dropScript,
  mintScript,
  putScript,
  releaseScript,
  renewScript,
} from "./scripts.generated.ts";
import { createServerClock, type ServerClock } from "./server-clock.ts";

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** Longest wait of a read for an answer in ms, from 1 to 10 000; it then loads without the store. Default 50. */
  readonly deadlineMs?: number;
  /** The same for an invalidation, which is then queued. Default 1000: it is worth waiting for. */
  readonly invalidationDeadlineMs?: number;
  /** Channel of announcements, one for all caches that share keys. Default `"sl:cache"`. */
  readonly channel?: string;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Default: this machine's. */
  readonly random?: Random;
}

type Operation = "mint" | "acquire" | "renew" | "put" | "release" | "drop" | "bump";

const scripts: Readonly<Record<Operation, Script>> = {
  mint: mintScript,
  acquire: acquireScript,
  renew: renewScript,
  put: putScript,
  release: releaseScript,
  drop: dropScript,
  bump: bumpScript,
};

/** What the operations share. */
interface Ground {
  readonly redis: Redis;
  readonly channel: string;
  readonly time: ServerClock;
  readonly nonce: () => string;
  readonly run: (
    operation: Operation,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ) => Promise<Reply>;
}

/**
 * Records in Redis: one server, behind Sentinels, or a Cluster. All reads of a turn of the event loop are one MGET,
 * and all calls of one operation are one script. Lifetimes count by the server's clock.
 *
 * On a Cluster, a record and its generations are on different nodes, and are asked in parallel. There, announcements
 * are forwarded between nodes without a promise: only `maxAge` bounds copies, `maxLag` does not.
 *
 * @param redis - Stays open when the cache is closed: its owner closes it.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { createCache } from "@sluice/cache";
 * import { redisStore } from "@sluice/cache/redis";
 * import { connectRedis } from "@sluice/redis/ioredis";
 *
 * await using redis = connectRedis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");
 * await using cache = createCache({ store: redisStore(redis) });
 * ```
 */
export function redisStore(redis: Redis, options: RedisStoreOptions = {}): CacheStore {
  const { deadlineMs = 50, invalidationDeadlineMs = 1000, channel = "sl:cache" } = options;
  const { clock = systemClock, random = systemRandom } = options;
  if (typeof channel !== "string" || channel === "") throw new InvalidArgumentError("channel", "a name", channel);
  const time = createServerClock(clock);
  const reconnects = createReconnects();
  const coalescers = new Map<Operation, Coalescer>();
  for (const [operation, script] of Object.entries(scripts) as [Operation, Script][]) {
    const isInvalidation = operation === "drop" || operation === "bump";
    const ownMs = isInvalidation ? invalidationDeadlineMs : deadlineMs;
    coalescers.set(operation, createCoalescer({ redis, script, deadlineMs: ownMs, clock, random }));
  }
  const reader = createReader({ redis, bytes: true, deadlineMs, clock });
  const ask = (): void => askTime(redis, { time, deadlineMs });
  const answered = (reply: Reply): Reply => {
    reconnects.answered();
    return reply;
  };
  const ground: Ground = {
    redis,
    channel,
    time,
    nonce: () => Buffer.from(random.bytes(6)).toString("base64url"),
    run: (operation, keys, args) =>
      (coalescers.get(operation) as Coalescer).run({ keys, args }).then(answered, reconnects.failed),
  };

  return {
    now: () => time.now(ask),
    read: reading(reader, reconnects),
    ...writing(ground),
    listen: (listener) => listen(ground, listener),
    onReconnect: reconnects.onReconnect,
    [Symbol.asyncDispose]: async () => {},
  };
}

type Values = readonly (Uint8Array | null)[];

/** Reads, with nothing made per call that all calls can share: most of what a hit costs here is memory. */
function reading(reader: Reader<Uint8Array>, { answered, failed }: Reconnects): CacheStore["read"] {
  const textsOf = createTexts();
  const snapshotOf = (values: Values): Snapshot => {
    answered();
    return { record: values[0] ?? null, generations: textsOf(values) };
  };
  const generationsOf = (values: Values): Snapshot => {
    answered();
    return { record: null, generations: values.map(textOf) };
  };
  return ({ key, generations, keys }) => {
    if (key === undefined) return reader.getAll(generations).then(generationsOf, failed);
    return reader.getAll(keys ?? [key, ...generations]).then(snapshotOf, failed);
  };
}

/** The texts of all values but the first. Reads of one turn share the bytes of equal keys, and so their texts. */
function createTexts(): (values: Values) => Snapshot["generations"] {
  let known: Values = [];
  let texts: Snapshot["generations"] = [];
  return (values) => {
    let isKnown = values.length === known.length;
    for (let index = 1; isKnown && index < values.length; index += 1) isKnown = values[index] === known[index];
    if (isKnown) return texts;
    // Without the record, which would be kept alive.
    known = [null, ...values.slice(1)];
    return (texts = values.slice(1).map(textOf));
  };
}

function writing({ channel, time, nonce, run }: Ground) {
  return {
    async mint(generations: readonly string[], keepMs: number): Promise<readonly string[]> {
      const values = await run("mint", generations, [nonce(), keepMs]);
      return (values as readonly Reply[]).map(String);
    },
    async acquire({ key, holder, token, leaseMs, seen }: Claim): Promise<Claimed> {
      const reply = await run("acquire", [key, leaseOf(key)], [holder, token, leaseMs, seen]);
      const [state, ms, now, lease = ""] = reply as readonly Reply[];
      time.set(String(now));
      if (state === 0) return { state: "changed" };
      if (state === 1) return { state: "granted", lease: String(lease), settleMs: Math.max(0, Number(ms)) };
      return { state: "held", holder: String(lease).slice(0, holder.length), leftMs: Math.max(0, Number(ms)) };
    },
    async renew(key: string, lease: string, leaseMs: number): Promise<boolean> {
      return (await run("renew", [leaseOf(key)], [lease, leaseMs])) === 1;
    },
    async put({ key, lease, record, keepMs }: Put): Promise<boolean> {
      return (await run("put", [key, leaseOf(key)], [lease, record, Math.max(1, Math.ceil(keepMs))])) === 1;
    },
    async release(key: string, holder: string): Promise<void> {
      await run("release", [leaseOf(key)], [holder]);
    },
    async drop(key: string, settleMs: number): Promise<number> {
      const now = String(await run("drop", [key, leaseOf(key)], [settleMs, channel]));
      time.set(now);
      return Number(now) / 1000;
    },
    async bump({ generations, keepMs, maxStaleMs = -1 }: Bump): Promise<string> {
      return String(await run("bump", generations, [nonce(), keepMs, maxStaleMs, channel]));
    },
  };
}

/** In the slot of the record, as keys of records have no braces. */
export function leaseOf(key: string): string {
  return `{${key}}:l`;
}

function textOf(bytes: Uint8Array | null | undefined): string | null {
  if (bytes === null || bytes === undefined) return null;
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString("latin1");
}

/** In the background: until there is an answer, this machine's clock stands in for the server's. */
function askTime(redis: Redis, { time, deadlineMs }: { time: ServerClock; deadlineMs: number }): void {
  // Not again for every read until it comes.
  time.set(String(time.now() * 1000));
  const told = (reply: Reply): void => {
    const [seconds, microseconds] = reply as readonly string[];
    time.set(`${seconds}${String(microseconds).padStart(6, "0")}`);
  };
  redis.read("TIME", [], { deadlineMs }).then(told, () => {});
}

async function listen({ redis, channel }: Ground, { onPush, onDoubt }: PushListener): Promise<Pushes> {
  return redis.subscribe(channel, onPush, onDoubt);
}
