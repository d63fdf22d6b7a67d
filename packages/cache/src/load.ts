import { parseDuration, type Clock, type Duration } from "@sluice/core";

import type { Bulkhead, Turn } from "./bulkhead.ts";
import { CacheValueError, LoadCycleError, LoadTimeoutError } from "./errors.ts";
import { loadTraces, type LoadTrace } from "./events.ts";
import { deepFreeze } from "./freeze.ts";
import { loadDepth, runAsPart } from "./load-chain.ts";
import type { Policy } from "./policy.ts";
import type { Counters } from "./stats.ts";

/** What a load may know, and say about its result. */
export interface LoadContext {
  /** Aborts when the load has taken too long. */
  readonly signal: AbortSignal;
  /** A value that is past its time and may still be served, for a conditional request; else undefined. */
  readonly stale: unknown;
  /** How long the result lives, instead of the scope's `ttl`. 0: it is not stored. */
  readonly ttl: (ttl: Duration) => void;
  /** The result is not stored. */
  readonly skip: () => void;
  /** The result ends with each of these tags, at most 16. The scope must have been made with `tags: true`. */
  readonly tags: (...tags: readonly string[]) => void;
}

/** Loads a value from where the truth is. */
export type Loader<Value> = (context: LoadContext) => Promise<Value> | Value;

/** What a load returned, ready to be handed out and stored. */
export interface Loaded {
  /** As it will come back from the store. */
  readonly value: unknown;
  /** Undefined: there is nothing to store. */
  readonly payload: Buffer | undefined;
  readonly tookMs: number;
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/** What {@link runLoad} needs to know. */
export interface LoadGround {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly bulkhead: Bulkhead;
  readonly counters: Counters;
  /** Aborts when the cache is closed. */
  readonly closing: AbortSignal;
}

/** One load. */
export interface LoadOrder {
  readonly loader: Loader<unknown>;
  readonly reason: LoadTrace["reason"];
  readonly stale: unknown;
  /** Names it at the store, if it has a lease. */
  readonly holder?: string;
  /** What it waits with for its place. */
  readonly turn?: Turn;
}

const mostTags = 16;
// Loads within loads are few levels deep, unless they go round in circles.
const deepest = 100;

/**
 * Runs a load in its turn and within its time.
 *
 * @throws what the loader throws; `ERR_SLUICE_CACHE_LOAD_TIMEOUT`, `ERR_SLUICE_CACHE_OVERLOADED`,
 *   `ERR_SLUICE_CACHE_LOAD_CYCLE`, `ERR_SLUICE_CACHE_VALUE`.
 */
export async function runLoad(ground: LoadGround, order: LoadOrder): Promise<Loaded> {
  const { policy, counters } = ground;
  try {
    if (loadDepth() >= deepest) throw new LoadCycleError(policy.scope);
    const { value, said, tookMs } = await ground.bulkhead.run(() => timedLoad(ground, order), order.turn);
    if (value === undefined) return { value, payload: undefined, tookMs, ttlMs: 0, tags: [] };
    const payload = encoded(policy, value);
    return {
      // Every caller gets what later ones will get, whatever the encoding does to it.
      value: deepFreeze(policy.codec.decode(payload)),
      payload,
      tookMs,
      ttlMs: said.ttlMs ?? (value === null ? policy.negativeTtlMs : policy.ttlMs),
      tags: said.tags,
    };
  } catch (error) {
    counters.loadErrors += 1;
    throw error;
  }
}

interface Said {
  ttlMs: number | undefined;
  tags: string[];
}

async function timedLoad({ policy, clock, counters, bulkhead, closing }: LoadGround, order: LoadOrder) {
  const { loader, reason, stale, holder } = order;
  counters.loads += 1;
  const startedMs = clock.monotonic();
  const said: Said = { ttlMs: undefined, tags: [] };
  const timeout = new AbortController();
  const timer = clock.schedule(policy.loadTimeoutMs, () => {
    timeout.abort(new LoadTimeoutError(policy.scope, policy.loadTimeoutMs));
  });
  const { signal } = timeout;
  // Nobody asked for it: who closes a cache does not wait for it.
  const close = (): void => timeout.abort(closing.reason);
  if (reason === "refresh") closing.addEventListener("abort", close);
  if (reason === "refresh" && closing.aborted) close();
  const context = contextOf(policy, said, { signal, stale });
  try {
    const work = (): Promise<unknown> => runAsPart({ bulkhead, holder, signal }, async () => loader(context));
    const value = await unlessAborted(loadTraces.trace({ scope: policy.scope, reason }, work), signal);
    return { value, said, tookMs: clock.monotonic() - startedMs };
  } finally {
    timer.cancel();
    closing.removeEventListener("abort", close);
  }
}

function contextOf(policy: Policy, said: Said, given: Pick<LoadContext, "signal" | "stale">): LoadContext {
  return {
    ...given,
    ttl: (ttl) => {
      said.ttlMs = parseDuration(ttl, { argument: "ttl" });
    },
    skip: () => {
      said.ttlMs = 0;
    },
    tags: (...tags) => {
      if (!policy.tagged)
        throw new CacheValueError(policy.scope, "it has tags, and the scope was made without tags: true");
      // One that makes no key is the load's mistake, and told to it.
      for (const tag of tags) policy.family.tag(tag);
      said.tags = [...new Set([...said.tags, ...tags])];
      if (said.tags.length > mostTags) throw new CacheValueError(policy.scope, `it has more than ${mostTags} tags`);
    },
  };
}

function encoded({ scope, codec }: Policy, value: unknown): Buffer {
  try {
    const bytes = codec.encode(value);
    return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  } catch (error) {
    throw new CacheValueError(scope, error instanceof Error ? error.message : "its codec refuses it");
  }
}

/** The outcome of work, or the reason of the signal as soon as it aborts. What the work still does reaches nobody. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
