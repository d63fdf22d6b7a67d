import { InvalidArgumentError, parseDuration, systemClock, type Clock, type Duration } from "@sluice/core";
import { createCoalescer, type Redis } from "@sluice/redis";

import { checkedPrefix, familyOf, type Family } from "../../layout.ts";
import type { CacheStore } from "../../store.ts";
import { reclaimScript } from "../scripts.generated.ts";
import { redisStore } from "../store.ts";
import { inspect, stateOf, type Inspected } from "./inspect.ts";
import { countRecords, type PrefixStats } from "./prefix-stats.ts";
import { serverMs } from "./server-ms.ts";
import { standingsOf } from "./standings.ts";
import { walk, type Seen, type WalkOptions } from "./walk.ts";

/** Options of {@link cacheOperations}. */
export interface CacheOperationsOptions {
  /** As of the caches that are operated on. Default `"sl:cache"`. */
  readonly channel?: string;
  /** Longest wait for an answer in ms. Default 2000: whoever operates rather waits than asks twice. */
  readonly deadlineMs?: number;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

/** How {@link CacheOperations.flush} flushes. */
export interface FlushRequest {
  /** One scope of the prefix instead of all of it. */
  readonly scope?: string;
  /** Lets what was stored be served for so long while it is reloaded. Default: not at all. */
  readonly maxStale?: Duration;
  /** Flushes also what no cache seems to have. Default `false`. */
  readonly force?: boolean;
}

/** What became of a flush. */
export interface Flushed {
  /** Without its version. */
  readonly prefix: string;
  /** Whether a cache has kept anything there. If none has, nothing was done, unless it was forced. */
  readonly known: boolean;
  /** The generations that were replaced. */
  readonly generations: readonly string[];
}

/** What was removed. */
export interface Reclaimed {
  readonly prefix: string;
  /** Records that were looked at. */
  readonly seen: number;
  readonly removed: number;
  /** Of those that were removed. */
  readonly bytes: number;
}

/** What an operator does to caches in Redis, from outside of the processes that use them. */
export interface CacheOperations {
  /**
   * Ends everything under a prefix, or under the first segment after one, in all processes: `"v1:feed:"`. O(1). When it
   * has resolved, no read that begins later finds what was there, copies excepted, for as long as their `maxLag`.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for what is not words joined by colons.
   */
  flush(prefix: string, request?: FlushRequest): Promise<Flushed>;
  /** What is under a key, its value left out. */
  inspect(key: string): Promise<Inspected>;
  /** Counts what is stored under a prefix, walking through all keys at an even pace. */
  stats(prefix: string, options?: WalkOptions): Promise<PrefixStats>;
  /**
   * Removes records under a prefix that nobody can read any more, walking through all keys at an even pace. It only
   * saves memory: they would be overwritten, or expire. Of a record that was stored meanwhile, nothing is lost.
   */
  reclaim(prefix: string, options?: WalkOptions): Promise<Reclaimed>;
}

const leastKeepMs = 86_400_000;
const longestStaleMs = 365 * 86_400_000;
const longestKey = 2000;

/** Makes {@link CacheOperations} on a Redis. It has nothing to be closed. */
export function cacheOperations(redis: Redis, options: CacheOperationsOptions = {}): CacheOperations {
  const { channel = "sl:cache", deadlineMs = 2000, clock = systemClock } = options;
  const store = redisStore(redis, { channel, deadlineMs, invalidationDeadlineMs: deadlineMs, clock });
  const ground: Ground = { redis, store, deadlineMs, clock };
  return {
    flush: (prefix, request) => flush(ground, prefix, request),
    async inspect(key) {
      const isKey = typeof key === "string" && key !== "" && key.length <= longestKey;
      if (!isKey) throw new InvalidArgumentError("key", `a key of up to ${longestKey} characters`, key);
      return inspect(redis, store, key);
    },
    stats: (prefix, walking) => stats(ground, prefix, walking),
    reclaim: (prefix, walking) => reclaim(ground, prefix, walking),
  };
}

interface Ground {
  readonly redis: Redis;
  readonly store: CacheStore;
  readonly deadlineMs: number;
  readonly clock: Clock;
}

async function flush({ redis, store }: Ground, text: string, request: FlushRequest = {}): Promise<Flushed> {
  const { scope, maxStale, force = false } = request;
  const family = familyOf(withoutEnd(text));
  const soft =
    maxStale === undefined
      ? {}
      : { maxStaleMs: parseDuration(maxStale, { maxMs: longestStaleMs, argument: "maxStale" }) };
  const wanted = scope === undefined ? everythingUnder(family.name) : [allOfScope(family, scope)];
  const left = await Promise.all(wanted.map(async (key) => ({ key, keptMs: Number(await redis.read("PTTL", [key])) })));
  const known = left.filter(({ keptMs }) => keptMs !== -2);
  const flushed = known.length > 0 || !force ? known : left;
  for (const { key, keptMs } of flushed) {
    // A generation that lived shorter than its records would cost a load of each.
    await store.bump({ generations: [key], keepMs: Math.max(leastKeepMs, keptMs), ...soft });
  }
  return { prefix: family.name, known: known.length > 0, generations: flushed.map(({ key }) => key) };
}

/** As of the scope's own `all()`: one that is called like its prefix ends with it. */
function allOfScope(family: Family, scope: string): string {
  return checkedPrefix(scope, "scope") === family.name ? family.all : family.scope(scope);
}

/** The generation of a prefix, and that of keys of several segments that share a first one. */
function everythingUnder(name: string): string[] {
  const cut = name.lastIndexOf(":");
  const lead = cut > 0 ? [familyOf(name.slice(0, cut)).lead(name.slice(cut + 1))] : [];
  return [familyOf(name).all, ...lead];
}

async function stats(ground: Ground, text: string, walking: WalkOptions = {}): Promise<PrefixStats> {
  const { name } = familyOf(withoutEnd(text));
  const counted = countRecords();
  let foreign = 0;
  for await (const page of walk(ground.redis, name, { ...walking, clock: ground.clock })) {
    foreign += page.foreign;
    const nowMs = await serverMs(ground.redis);
    const standings = await standingsOf(ground.store, page.records, nowMs);
    for (const [index, { record }] of page.records.entries()) {
      const { identity, freshUntilMs, wholeLength } = record;
      counted.add(identity, stateOf({ stands: standings[index], freshUntilMs, nowMs }), wholeLength);
    }
  }
  return { prefix: name, scopes: counted.scopes(), foreign };
}

async function reclaim(ground: Ground, text: string, walking: WalkOptions = {}): Promise<Reclaimed> {
  const { redis, store, deadlineMs, clock } = ground;
  const { name } = familyOf(withoutEnd(text));
  const coalescer = createCoalescer({ redis, script: reclaimScript, deadlineMs, clock });
  const remove = async ({ key, record }: Seen): Promise<number> => {
    const removed = await coalescer.run({ keys: [key], args: [record.id] });
    return removed === 1 ? record.wholeLength : 0;
  };
  const sum = { prefix: name, seen: 0, removed: 0, bytes: 0 };
  for await (const { records } of walk(redis, name, { ...walking, clock })) {
    const standings = await standingsOf(store, records, await serverMs(redis));
    const ended = records.filter((_, index) => standings[index] === "invalid");
    const freed = await Promise.all(ended.map(remove));
    sum.seen += records.length;
    sum.removed += freed.filter((bytes) => bytes > 0).length;
    sum.bytes += freed.reduce((total, bytes) => total + bytes, 0);
  }
  return sum;
}

/** Prefixes are known as `v1:feed`, `v1:feed:` and `v1:feed:*`. */
function withoutEnd(text: string): string {
  return typeof text === "string" ? text.replace(/:\*?$/, "") : text;
}
