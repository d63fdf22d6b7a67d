import { InvalidArgumentError, parseDuration, systemClock, systemRandom } from "@sluice/core";
import type { Clock, Duration, Random } from "@sluice/core";

import { CacheClosedError } from "./errors.ts";
import { cacheEvents } from "./events.ts";
import { flushTarget } from "./flush.ts";
import { Invalidator, type Invalidated } from "./invalidator.ts";
import { L1, type L1Options } from "./l1.ts";
import { familyOf } from "./layout.ts";
import { checkEnvironment, type Environment } from "./lifetime.ts";
import { memoryStore } from "./memory.ts";
import { checkedOutcome, createRules, type InvalidateOptions, type Rules, type RuleTable } from "./rules.ts";
import { within, type ScopeOptions } from "./scope-options.ts";
import { createScope, type CacheScope, type MadeScope, type ScopeGround } from "./scope.ts";
import type { HealthOptions, ScopeHealth, ScopeStats } from "./stats.ts";
import type { CacheStore } from "./store.ts";
import { plainTargets, type GenerationTarget, type InvalidationTarget } from "./target.ts";
import { Touched } from "./touched.ts";

/** Options of {@link createCache}. */
export interface CacheOptions {
  /** Where records live. Default: {@link memoryStore}, in this process. It is closed with the cache. */
  readonly store?: CacheStore;
  /** Copies of values in this process, with a bound on how old they may be. Default `false`: none. */
  readonly l1?: L1Options | false;
  /** Whether reads use the cache, asked for every read. Invalidations are always applied. Default: they do. */
  readonly enabled?: () => boolean;
  /** Where the variables `…_CACHE_TTL_SECONDS` come from, usually `process.env`. Default: nowhere. */
  readonly env?: Environment;
  /** When the store does not answer: `"allow"` loads without it, `"deny"` refuses to. Default `"allow"`. */
  readonly onStoreError?: "allow" | "deny";
  /** For how long invalidations are remembered, to repeat them when the store may have lost them. Default `"30s"`. */
  readonly journal?: Duration;
  /** What counts as healthy. */
  readonly health?: HealthOptions;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Jitter and names of loads. Default: this machine's. */
  readonly random?: Random;
}

/** How a prefix is flushed. */
export interface FlushOptions extends InvalidateOptions {
  /** Lets what was stored be served for so long while it is reloaded: spares the database after a bulk import. */
  readonly maxStale?: Duration;
}

/** A cache before a database. */
export interface Cache extends AsyncDisposable {
  /**
   * A kind of value. Make each once, at the start: a name is taken for the life of the cache.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option or the variable.
   */
  scope<Params, Value>(name: string, options: ScopeOptions<Params, Value>): CacheScope<Params, Value>;
  /** Everything under a prefix, to be invalidated; whether this process has scopes there or not. */
  prefix(prefix: string): GenerationTarget;
  /** What each event of the application makes untrue. */
  rules<Events extends object>(table: RuleTable<Events>): Rules<Events>;
  /**
   * Invalidates. When it has resolved with `queued: 0`, no read that begins anywhere finds what was there before,
   * copies in other processes excepted, for as long as `maxLag`. Call it after the commit. One round trip.
   *
   * @throws `ERR_SLUICE_CACHE_INVALIDATION_QUEUED` with `strict`, when a target could not be applied.
   */
  invalidate(targets: readonly InvalidationTarget[], options?: InvalidateOptions): Promise<Invalidated>;
  /**
   * Invalidates everything whose key begins so: `"v1:feed:"`, or `"availability:42:"` for keys of several segments.
   * O(1), however much that is: nothing is searched, and what was there is overwritten or expires. A segment of a
   * {@link pathKey} is a word, parameters are not: they have {@link CacheScope.group}.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a text that ends within a word, or that no scope here has.
   */
  flush(prefix: string, options?: FlushOptions): Promise<Invalidated>;
  /** What each scope has counted. */
  stats(): ScopeStats[];
  /** Whether each scope answers as many reads as it should. */
  health(): ScopeHealth[];
  /** Resolves when copies in this process may be used, or when announcements cannot be had for now. */
  ready(): Promise<void>;
  /** Refuses new reads, ends what runs in the background and closes the store. */
  close(): Promise<void>;
}

/**
 * A read-through cache. Once an invalidation has been applied, no read that begins later returns what was there
 * before, whatever was being loaded, stored, evicted or joined meanwhile.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createCache(options: CacheOptions = {}): Cache {
  const { clock = systemClock, random = systemRandom } = options;
  const store = options.store ?? memoryStore({ clock, random });
  const l1 = options.l1 ? new L1(clock, options.l1) : undefined;
  const closing = new AbortController();
  const life = { isClosed: false, closing: closing.signal };
  const aside = createAside();
  const ground = groundOf(options, { store, l1, clock, random, aside: (work) => aside.take(work), life });
  const { invalidator } = ground;
  const opened = (l1 ? l1.open(store) : Promise.resolve()).catch(() => {});
  const stopWatching = store.onReconnect?.(() => aside.take(invalidator.replay("reconnect")));

  async function close(): Promise<void> {
    if (life.isClosed) return;
    life.isClosed = true;
    closing.abort(new CacheClosedError("refresh"));
    stopWatching?.();
    await Promise.all([opened, invalidator.close(), aside.settled()]);
    await l1?.close();
    await store[Symbol.asyncDispose]();
  }

  return { ...surface(ground, life), ready: () => opened, close, [Symbol.asyncDispose]: close };
}

interface Parts extends Pick<ScopeGround, "store" | "l1" | "clock" | "random" | "aside"> {
  readonly life: { readonly isClosed: boolean; readonly closing: AbortSignal };
}

function groundOf(options: CacheOptions, { life, ...parts }: Parts): ScopeGround {
  const { journal = "30s", onStoreError = "allow", enabled = () => true, env, health = {} } = options;
  const journalMs = parseDuration(journal, { argument: "journal" });
  if (onStoreError !== "allow" && onStoreError !== "deny") {
    throw new InvalidArgumentError("onStoreError", '"allow" or "deny"', onStoreError);
  }
  within("health.minHitRatio", health.minHitRatio ?? 0, { from: 0, to: 1 });
  within("health.minReads", health.minReads ?? 0, { from: 0, to: Infinity });
  checkEnvironment(env);
  const touched = new Touched(parts.clock);
  const { store, clock, l1 } = parts;
  const invalidator = new Invalidator({ store, clock, l1, journalMs, keepMs: () => touched.keepMs });
  const storeHealth = createStoreHealth();
  const isClosed = (): boolean => life.isClosed;
  const { closing } = life;
  return { ...parts, closing, touched, invalidator, onStoreError, storeHealth, enabled, env, health, isClosed };
}

type Surface = Omit<Cache, "ready" | "close" | typeof Symbol.asyncDispose>;

function surface(ground: ScopeGround, life: { readonly isClosed: boolean }): Surface {
  const scopes = new Map<string, MadeScope<never, unknown>>();
  const invalidate = async (targets: readonly InvalidationTarget[]): Promise<Invalidated> => {
    if (life.isClosed) throw new CacheClosedError("invalidate");
    return ground.invalidator.invalidate(plainTargets(targets));
  };
  return {
    scope(name, options) {
      if (scopes.has(name)) throw new InvalidArgumentError("scope", "a name that is not taken yet", name);
      const made = createScope(ground, name, options);
      scopes.set(name, made);
      return made;
    },
    prefix(prefix) {
      const { all } = familyOf(prefix);
      return { kind: "generation", generations: [all], family: all };
    },
    rules: (table) => createRules(table, invalidate),
    invalidate: async (targets, options) => checkedOutcome(await invalidate(targets), options),
    async flush(prefix, options = {}) {
      const targets = flushTarget([...scopes.values()], prefix);
      const maxStaleMs =
        options.maxStale === undefined ? undefined : parseDuration(options.maxStale, { argument: "maxStale" });
      const soft = maxStaleMs === undefined ? {} : { maxStaleMs };
      return checkedOutcome(await invalidate(targets.map((target) => ({ ...target, ...soft }))), options);
    },
    stats: () => [...scopes.values()].map((scope) => scope.stats()),
    health: () => [...scopes.values()].map((scope) => scope.health()),
  };
}

function createAside() {
  const running = new Set<Promise<void>>();
  return {
    take(work: Promise<unknown>): void {
      const end = (): void => void running.delete(observed);
      const observed: Promise<void> = work.then(end, end);
      running.add(observed);
    },
    settled: async (): Promise<void> => void (await Promise.all(running)),
  };
}

/** Tells of the first failure of an outage, and of its end. */
function createStoreHealth() {
  let isFailing = false;
  return {
    failed(error: unknown): void {
      if (!isFailing) cacheEvents.publish({ type: "store-failed", error });
      isFailing = true;
    },
    answered(): void {
      if (isFailing) cacheEvents.publish({ type: "store-recovered" });
      isFailing = false;
    },
  };
}
