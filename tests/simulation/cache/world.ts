import {
  createCache,
  loadTraces,
  pathKey,
  type Cache,
  type CacheScope,
  type InvalidationTarget,
  type L1Options,
} from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { seededRandom, sleep, type Random } from "@sluice/core";
import { createFakeClock, type FakeClock } from "@sluice/testing";

import type { Lua } from "../redis/lua.ts";
import { SimServer } from "../redis/server.ts";
import { SimRedis } from "../redis/sim-redis.ts";
import { Oracle, type Row } from "./oracle.ts";

/** A way to invalidate a row. */
export type Way = "drop" | "flush" | "group" | "tag";

/** How a world is made. */
export interface WorldOptions {
  readonly seed: number;
  readonly lua: Lua;
  readonly processes?: number;
  readonly rows?: number;
  readonly servers?: number;
  readonly l1?: L1Options;
  /** Longest load in ms. */
  readonly loadMs?: number;
  /** Longest pause between two writes of a process in ms. */
  readonly writeEveryMs?: number;
  /** How rows are invalidated. Default: in every way. */
  readonly ways?: readonly Way[];
  readonly tags?: boolean;
  readonly stale?: { readonly onError: number; readonly whileRevalidate: number };
}

/** One process: its connection, its cache and what it reads. */
export interface Process {
  readonly index: number;
  readonly redis: SimRedis;
  readonly cache: Cache;
  readonly rows: CacheScope<number, Row>;
}

const deadlineMs = 50;
/** Groups of rows: a row's group is its id modulo this. */
export const groups = 2;

/** Processes with their caches before one database, on simulated servers and a virtual clock. All of it from a seed. */
export class World {
  readonly clock: FakeClock = createFakeClock();
  readonly random: Random;
  readonly oracle: Oracle;
  readonly servers: readonly SimServer[];
  readonly processes: readonly Process[];
  readonly rowCount: number;
  readonly lagMs: number;
  readonly writeEveryMs: number;
  readonly #options: WorldOptions;
  loads = 0;
  /** Loads that run right now, by row. */
  readonly loading = new Map<number, number>();
  mostLoading = 0;
  failNextLoads = 0;
  #lastReason: string | undefined;
  readonly #stop = loadTraces.subscribe({ start: ({ reason }) => void (this.#lastReason = reason) });

  constructor(options: WorldOptions) {
    const { seed, lua, processes = 3, rows = 4, servers = 1, writeEveryMs = 60, l1 } = options;
    this.writeEveryMs = writeEveryMs;
    this.#options = options;
    this.random = seededRandom(seed);
    this.rowCount = rows;
    this.lagMs = l1 ? Number(l1.maxLag) : 0;
    this.oracle = new Oracle(rows);
    const { clock } = this;
    this.servers = Array.from({ length: servers }, (_, index) => new SimServer({ clock, lua, skewMs: index * 1000 }));
    this.processes = Array.from({ length: processes }, (_, index) => this.#process(index));
  }

  #process(index: number): Process {
    const { clock, servers } = this;
    const random = seededRandom(this.random.integer(0, 2 ** 31));
    const redis = new SimRedis({ clock, random, servers, deadlineMs, heartbeatMs: 50 });
    const store = redisStore(redis, { clock, random, deadlineMs, invalidationDeadlineMs: deadlineMs });
    const { l1, tags = false, stale = { onError: 0, whileRevalidate: 0 } } = this.#options;
    const cache = createCache({ store, clock, random, ...(l1 ? { l1 } : {}) });
    const rows = cache.scope<number, Row>("rows", {
      prefix: "v1:rows",
      key: pathKey<number>(),
      groups: (id) => ({ group: id % groups }),
      ttl: "2s",
      tags,
      stale,
      load: (id, context) => {
        if (tags) context.tags(`row-${id}`);
        return this.#load(id);
      },
    });
    return { index, redis, cache, rows };
  }

  /** Reads the row at one moment of the load. */
  async #load(id: number): Promise<Row> {
    const { loadMs = 20 } = this.#options;
    const degraded = this.#lastReason === "degraded" ? { degradedMs: this.clock.monotonic() } : {};
    this.loads += 1;
    const running = (this.loading.get(id) ?? 0) + 1;
    this.loading.set(id, running);
    this.mostLoading = Math.max(this.mostLoading, running);
    try {
      await sleep(this.clock, this.random.float() * loadMs);
      const row = { ...this.oracle.row(id), ...degraded };
      await sleep(this.clock, this.random.float() * loadMs);
      if (this.failNextLoads > 0) {
        this.failNextLoads -= 1;
        throw new Error("The database has failed.");
      }
      return row;
    } finally {
      this.loading.set(id, (this.loading.get(id) ?? 1) - 1);
    }
  }

  pick<T>(all: readonly T[]): T {
    return all[this.random.integer(0, all.length)] as T;
  }

  /** Reads a row in a process and checks what comes back. */
  async read(process: Process, id: number): Promise<void> {
    const reading = { nowMs: this.clock.monotonic(), process: process.index, lagMs: this.lagMs };
    const row = await process.rows.get(id).catch((error: Error) => error);
    if (row instanceof Error) {
      if (row.message !== "The database has failed.") throw row;
      return;
    }
    this.oracle.check(row, reading);
  }

  /** Changes a row and invalidates it in one of the ways there are. */
  async write(process: Process, id: number): Promise<void> {
    const row = this.oracle.commit(id);
    const { rows } = process;
    const targets: Readonly<Record<Way, () => InvalidationTarget>> = {
      drop: () => rows.entry(id),
      flush: () => rows.all(),
      group: () => rows.group({ group: id % groups }),
      tag: () => rows.tag(`row-${id}`),
    };
    const { tags, ways = tags ? ["drop", "flush", "group", "tag"] : ["drop", "flush", "group"] } = this.#options;
    const { applied } = await process.cache.invalidate([targets[this.pick(ways)]()]);
    if (applied === 1) this.oracle.vouch([row], this.clock.monotonic(), process.index);
  }

  /** Ends every process. */
  async close(): Promise<void> {
    await this.finish(
      this.processes.map(({ cache }) => cache.close()),
      5000,
    );
    this.#stop();
  }

  /** Lets time pass until all the work has ended. Fails when some of it never does. */
  async finish(work: readonly Promise<unknown>[], withinMs: number): Promise<void> {
    const running = new Set(work);
    const failures: Error[] = [];
    for (const each of work) {
      each.catch((error: Error) => failures.push(error)).finally(() => running.delete(each));
    }
    for (let passedMs = 0; running.size > 0 && passedMs < withinMs; passedMs += 100) await this.clock.advance(100);
    if (running.size > 0) throw new Error(`${running.size} of ${work.length} never ended.`);
    if (failures[0]) throw failures[0];
  }
}
