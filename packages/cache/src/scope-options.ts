import { InvalidArgumentError, parseDuration, type Duration, type ParamRecord } from "@sluice/core";

import { jsonCodec, type Codec } from "./codec.ts";
import type { KeyFormat } from "./key.ts";
import { checkedPrefix, familyOf, type Family } from "./layout.ts";
import { lifetimeMs, type Environment } from "./lifetime.ts";
import type { LoadContext } from "./load.ts";
import type { Policy } from "./policy.ts";

/** When a value past its time may be served. A value that was invalidated never is. */
export interface StaleOptions {
  /** For how long after its time, when loading fails. Default 0. */
  readonly onError?: Duration;
  /** For how long after its time, while it is reloaded in the background. Default 0. */
  readonly whileRevalidate?: Duration;
}

/** One kind of value: how it is found, how long it lives, and how it is loaded. */
export interface ScopeOptions<Params, Value> {
  /** What its keys begin with: words joined by colons, such as `"v1:feed"` or `"cache:products"`. */
  readonly prefix: string;
  /** The prefix whose flush also ends these values: the same, or one with fewer words. Default: `prefix`. */
  readonly under?: string;
  /** What follows the prefix: {@link paramsKey}, {@link md5Key} or {@link pathKey}. */
  readonly key: KeyFormat<Params>;
  /** Values by which entries can be invalidated together, at most two: `({ category }) => ({ category })`. */
  readonly groups?: (params: Params) => ParamRecord;
  /** Whether results may have tags: one more key per read. Default `false`. */
  readonly tags?: boolean;
  /**
   * Longest time that a value is fresh. 0: it is not stored, though loads are shared. Overridden by the variables
   * `<SCOPE>_CACHE_TTL_SECONDS` and `DEFAULT_CACHE_TTL_SECONDS` of the cache's `env`.
   */
  readonly ttl: Duration;
  /** Name of the variable instead of `<SCOPE>_CACHE_TTL_SECONDS`. */
  readonly ttlVariable?: string;
  /** The part of `ttl` by which chance may shorten it, from 0 to 1. Default 0.1. */
  readonly jitter?: number;
  /** Longest time that a `null` is fresh. Default: `ttl`, at most 10 s. */
  readonly negativeTtl?: Duration;
  readonly stale?: StaleOptions;
  /** How eagerly one reader reloads a value shortly before its end; 1 is usual. Default 0: not at all. */
  readonly early?: number;
  /** Loads a value. A read may bring its own instead. */
  readonly load?: (params: Params, context: LoadContext) => Promise<Value> | Value;
  /** Longest time of a load; its signal then aborts. Default `"30s"`. */
  readonly loadTimeout?: Duration;
  /** After so much of a load, a value past its time is served if there is one. Default: never. */
  readonly softTimeout?: Duration;
  /** Most loads at once in this process, not counting those within a load of the same scope. Default 32. */
  readonly maxLoads?: number;
  /** Most loads that wait for their turn. Default 10 000. */
  readonly maxWaiting?: number;
  /** Longest wait for a load of another process. Default `"2s"`. */
  readonly wait?: Duration;
  /**
   * How far a replica that loads read from may lag behind. For so long after an invalidation, values are not fresh
   * for longer than this. Default 0.
   */
  readonly settle?: Duration;
  /** Longest record that is stored, in bytes. Default 524 288. */
  readonly maxBytes?: number;
  /** Payloads of so many bytes and more are compressed; `false` for none. Default 4096. */
  readonly compressFrom?: number | false;
  /** Default: strict JSON. */
  readonly codec?: Codec;
  /** Other prefixes that entries are dropped from as well, such as that of the release before. */
  readonly alsoDrops?: readonly string[];
}

const defaults = {
  compressFrom: 4096 as number | false,
  codec: jsonCodec,
  jitter: 0.1,
  early: 0,
  loadTimeout: "30s",
  wait: "2s",
  settle: 0,
  maxBytes: 524_288,
  tags: false,
} satisfies Partial<ScopeOptions<never, never>>;

/** Checks a scope's options and works out what they mean. */
export function policyOf<Params, Value>(
  scope: string,
  options: ScopeOptions<Params, Value>,
  env: Environment | undefined,
): Policy {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all = { ...defaults, under: options.prefix, ...given } as ScopeOptions<Params, Value> & typeof defaults;
  const { prefix, under = prefix, ttl, ttlVariable: variable, softTimeout, compressFrom } = all;
  const family = checkedFamily(scope, prefix, under);
  checkParts(all);
  const ttlMs = lifetimeMs({ scope, ttl, env, variable });
  return {
    scope,
    family,
    ttlMs,
    negativeTtlMs: duration("negativeTtl", all.negativeTtl ?? Math.min(ttlMs, 10_000)),
    jitter: within("jitter", all.jitter, { from: 0, to: 1 }),
    staleOnErrorMs: duration("stale.onError", all.stale?.onError ?? 0),
    staleWhileRevalidateMs: duration("stale.whileRevalidate", all.stale?.whileRevalidate ?? 0),
    earlyBeta: within("early", all.early, { from: 0, to: 1000 }),
    loadTimeoutMs: parseDuration(all.loadTimeout, { minMs: 1, maxMs: longestMs, argument: "loadTimeout" }),
    softTimeoutMs: softTimeout === undefined ? Infinity : duration("softTimeout", softTimeout),
    waitMs: duration("wait", all.wait),
    settleMs: duration("settle", all.settle),
    maxBytes: within("maxBytes", all.maxBytes, { from: 1, to: 2 ** 29 }),
    compressFrom: compressFrom === false ? Infinity : within("compressFrom", compressFrom, { from: 0, to: Infinity }),
    codec: all.codec,
    tagged: all.tags,
  };
}

function checkedFamily(scope: string, prefix: string, under: string): Family {
  checkedPrefix(scope, "scope");
  checkedPrefix(prefix, "prefix");
  const family = familyOf(under, "under");
  if (prefix === under || prefix.startsWith(`${under}:`)) return family;
  throw new InvalidArgumentError("under", `the first words of the prefix "${prefix}"`, under);
}

/** Refuses what would only be found at the first read, or never. */
function checkParts<Params, Value>({ key, load, groups, alsoDrops = [] }: ScopeOptions<Params, Value>): void {
  if (typeof key?.keyOf !== "function") throw new InvalidArgumentError("key", "a format such as pathKey()", key);
  for (const [argument, part] of Object.entries({ load, groups })) {
    if (part !== undefined && typeof part !== "function") throw new InvalidArgumentError(argument, "a function", part);
  }
  if (!Array.isArray(alsoDrops)) throw new InvalidArgumentError("alsoDrops", "an array of prefixes", alsoDrops);
  for (const other of alsoDrops) checkedPrefix(other, "alsoDrops");
}

const longestMs = 365 * 86_400_000;

function duration(argument: string, value: Duration): number {
  return parseDuration(value, { maxMs: longestMs, argument });
}

/** Refuses what is not a number of a range. */
export function within(argument: string, value: number, { from, to }: { from: number; to: number }): number {
  if (typeof value === "number" && value >= from && value <= to) return value;
  throw new InvalidArgumentError(argument, `a number from ${from} to ${to}`, value);
}
