import { seededRandom } from "@sluice/core";
import { createFakeClock, testSeed, type FakeClock } from "@sluice/testing";
import { onTestFinished } from "vitest";

import {
  cacheEvents,
  createCache,
  memoryStore,
  pathKey,
  type Cache,
  type CacheEvent,
  type CacheOptions,
  type CacheScope,
  type ScopeOptions,
} from "../../src/index.ts";

/** A row as the tests' database has it. */
export interface Row {
  readonly id: string;
  readonly version: number;
}

/** A cache in memory before a database that the test holds in its hand. */
export interface Shop {
  readonly clock: FakeClock;
  readonly cache: Cache;
  readonly rows: CacheScope<string, Row>;
  /** What the next loads read. */
  version: number;
  loads: number;
  /** When set, what loads do instead. */
  instead: (() => Promise<Row> | Row) | undefined;
}

/** Options of {@link shop}. */
export interface ShopOptions {
  readonly clock?: FakeClock;
  readonly cache?: CacheOptions;
  readonly scope?: Partial<ScopeOptions<string, Row>>;
}

/** A shop on a fake clock, closed when the test ends. */
export function shop({ cache: cacheOptions, scope, clock = createFakeClock() }: ShopOptions = {}): Shop {
  const random = seededRandom(testSeed());
  const store = cacheOptions?.store ?? memoryStore({ clock, random });
  const cache = createCache({ clock, random, ...cacheOptions, store });
  onTestFinished(() => cache.close());
  const made: Omit<Shop, "rows"> = { clock, cache, version: 1, loads: 0, instead: undefined };
  const rows = cache.scope<string, Row>("row", {
    prefix: "row",
    key: pathKey<string>(),
    ttl: "60s",
    jitter: 0,
    load(id) {
      made.loads += 1;
      return made.instead ? made.instead() : { id, version: made.version };
    },
    ...scope,
  });
  return Object.assign(made, { rows });
}

/** What `sluice:cache` tells during this test, reads excepted. */
export function heard(): CacheEvent[] {
  const events: CacheEvent[] = [];
  onTestFinished(cacheEvents.subscribe((event) => void (event.type === "read" || events.push(event))));
  return events;
}

/** Something that a test lets happen when it wants it to. */
export interface Gate<T> {
  readonly passed: Promise<T>;
  readonly open: (value: T) => void;
  readonly fail: (error: Error) => void;
}

/** A gate that is closed. */
export function gate<T>(): Gate<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { passed: promise, open: resolve, fail: reject };
}

/** The error that a promise rejects with; fails when it does not. */
export async function rejection(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [outcome] = await Promise.allSettled([work]);
  if (outcome.status === "fulfilled") throw new Error(`It was fulfilled with ${String(outcome.value)}.`);
  return outcome.reason as Error & Record<string, unknown>;
}
