import { createCache, type Cache } from "@sluice/cache";
import { createOutbox, type CacheOutbox } from "@sluice/cache/postgres";
import { redisStore } from "@sluice/cache/redis";
import type { SqlDatabase } from "@sluice/postgres";
import { connectRedis } from "@sluice/redis/ioredis";

/** Changes of what is cached: what a transaction makes untrue is committed with it. */
export type Changes = Pick<CacheOutbox, "transaction">;

/** What modules cache with. */
export interface ModuleCache {
  readonly cache: Cache;
  readonly changes: Changes;
  readonly ttlMs: Lifetimes;
  /** How far what is loaded may lag behind what was written. */
  readonly settleMs: number;
}

/** How long replies are kept at most. Unit: ms. */
export interface Lifetimes {
  readonly default: number;
  readonly listingDetail: number;
  readonly feed: number;
}

/** The catalog's cache, and what it runs on. */
export interface Caching extends ModuleCache, AsyncDisposable {
  /** Applies what processes that died have left, from now on. */
  deliver(): void;
}

/** How the catalog is cached. */
export interface CachingOptions {
  /** Undefined: in this process. */
  readonly redisUrl: string | undefined;
  /** Longest wait for Redis by a request. */
  readonly deadlineMs: number;
  readonly isEnabled: boolean;
  readonly ttlSeconds: Lifetimes;
  /** The primary, which has the outbox. */
  readonly sql: SqlDatabase;
  readonly settleMs: number;
}

/**
 * Caches in Redis, or in this process where there is none. Switched off, it still invalidates: others may use it, and
 * it may be switched on again.
 */
export function createCaching(options: CachingOptions): Caching {
  const { redisUrl, deadlineMs, isEnabled, ttlSeconds, sql, settleMs } = options;
  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, role: "cache" });
  const cache = createCache({ ...(redis && { store: redisStore(redis, { deadlineMs }) }), enabled: () => isEnabled });
  const outbox = createOutbox({ db: sql, cache });
  return {
    cache,
    changes: outbox,
    ttlMs: {
      default: ttlSeconds.default * 1000,
      listingDetail: ttlSeconds.listingDetail * 1000,
      feed: ttlSeconds.feed * 1000,
    },
    settleMs,
    deliver: () => outbox.start(),
    async [Symbol.asyncDispose]() {
      await outbox.close();
      await cache.close();
      await redis?.close();
    },
  };
}
