import { sleep, systemClock } from "@sluice/core";
import type { Redis, RedisConnection } from "@sluice/redis";
import { connectRedis, type ConnectOptions } from "@sluice/redis/ioredis";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { onTestFinished } from "vitest";

import {
  createCache,
  pathKey,
  type Cache,
  type CacheOptions,
  type CacheScope,
  type InvalidationTarget,
  type ScopeOptions,
} from "../../src/index.ts";
import { redisStore } from "../../src/redis/index.ts";

/** Rows that several caches stand before. A row is a number that every commit raises. */
export class Table {
  readonly #versions = new Map<string, number>();
  /** The version of each row that an applied invalidation vouches for. */
  readonly #vouched = new Map<string, number>();
  readonly stale: string[] = [];
  loads = 0;

  load(id: string): number {
    this.loads += 1;
    return this.#versions.get(id) ?? 0;
  }

  /** Commits a change and invalidates it. Whether the store was told. */
  async write({ cache, rows }: Member, id: string, target?: InvalidationTarget): Promise<boolean> {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    const { applied } = await cache.invalidate([target ?? rows.entry(id)]);
    if (applied === 1) this.#vouched.set(id, Math.max(version, this.#vouched.get(id) ?? 0));
    return applied === 1;
  }

  /** Reads a row; one that an invalidation has ended before is counted as stale. */
  async read({ rows }: Member, id: string): Promise<number> {
    const floor = this.#vouched.get(id) ?? 0;
    const version = await rows.get(id);
    if (version < floor) this.stale.push(`${id}: ${version} after ${floor}`);
    return version;
  }
}

/** One process of a fleet. */
export interface Member {
  readonly redis: Redis;
  readonly cache: Cache;
  readonly rows: CacheScope<string, number>;
}

/** How a member is made. */
export interface MemberOptions {
  readonly table: Table;
  readonly redis: Redis;
  readonly cache?: CacheOptions;
  readonly scope?: Partial<ScopeOptions<string, number>>;
  readonly deadlineMs?: number;
}

/** A process before the table: closed when the test ends. */
export async function member({ table, redis, cache, scope, deadlineMs = 1000 }: MemberOptions): Promise<Member> {
  const made = createCache({ store: redisStore(redis, { deadlineMs }), ...cache });
  onTestFinished(() => made.close());
  const rows = made.scope<string, number>("rows", {
    prefix: "v1:rows",
    key: pathKey<string>(),
    ttl: "10m",
    load: (id) => table.load(id),
    ...scope,
  });
  await made.ready();
  return { redis, cache: made, rows };
}

/** A Redis of this test's own. */
export async function ownServer(port?: number): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary, ...(port === undefined ? {} : { port }) });
  onTestFinished(() => server.stop());
  return server;
}

/** A connection that is closed when the test ends. */
export function connected(options: ConnectOptions): RedisConnection {
  const redis = connectRedis(options);
  onTestFinished(() => redis.close());
  return redis;
}

/** Waits for something to become true. */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const dueMs = systemClock.monotonic() + withinMs;
  while (!(await isSo())) {
    if (systemClock.monotonic() > dueMs) throw new Error(`not so within ${withinMs} ms`);
    await sleep(systemClock, 10);
  }
}

/** How long work takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.monotonic();
  await work();
  return systemClock.monotonic() - startedMs;
}
