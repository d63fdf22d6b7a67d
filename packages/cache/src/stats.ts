import type { Clock } from "@sluice/core";

import { cacheEvents, type ReadOutcome, type StoreSkipped } from "./events.ts";

/** What a scope has counted since it was made. */
export interface ScopeStats {
  readonly scope: string;
  /** Reads by where their value came from. */
  readonly reads: Readonly<Record<ReadOutcome, number>>;
  /** Loads that ran. */
  readonly loads: number;
  /** Loads that failed. */
  readonly loadErrors: number;
  /** Values that were loaded and not stored. */
  readonly storesSkipped: Readonly<Record<StoreSkipped, number>>;
  /** Reads that the cache answered, of those that asked it: 0 to 1, 1 before the first. A shared load is a miss. */
  readonly hitRatio: number;
  /** Reads that cost the database nothing: 1 - loads / reads. 1 before the first. */
  readonly offloadRatio: number;
}

/** Whether a scope's reads are answered by the cache, over the last five minutes. */
export interface ScopeHealth {
  readonly scope: string;
  readonly healthy: boolean;
  /** 1 before the first read. */
  readonly hitRatio: number;
  readonly reads: number;
}

/** What counts as healthy. */
export interface HealthOptions {
  /** Lowest healthy ratio of hits. Default 0.85. */
  readonly minHitRatio?: number;
  /** With fewer reads there is nothing to say. Default 100. */
  readonly minReads?: number;
}

const bucketMs = 30_000;
const buckets = 10;
const isHit: Readonly<Record<ReadOutcome, boolean | undefined>> = {
  l1: true,
  hit: true,
  stale: true,
  miss: false,
  coalesced: false,
  failed: false,
  // They did not ask the cache.
  bypass: undefined,
  degraded: undefined,
};

/** Counts what one scope does. A class, as it counts in the path of every read. */
export class Counters {
  readonly scope: string;
  readonly reads: Record<ReadOutcome, number> = {
    l1: 0,
    hit: 0,
    stale: 0,
    miss: 0,
    coalesced: 0,
    bypass: 0,
    degraded: 0,
    failed: 0,
  };
  readonly skipped: Record<StoreSkipped, number> = {
    lease: 0,
    "store-error": 0,
    "tags-moved": 0,
    "too-large": 0,
    "ttl-0": 0,
    undefined: 0,
  };
  loads = 0;
  loadErrors = 0;
  /** Copies that were handed out without a promise. Raised by whoever does, as that takes no longer than a look-up. */
  peeks = 0;
  readonly #clock: Clock;
  readonly #health: Required<HealthOptions>;
  /** Hits and reads per half minute, the present one first. */
  readonly #window: { hits: number; reads: number }[] = [{ hits: 0, reads: 0 }];
  #bucketEndsMs: number;
  #wasLow = false;

  constructor(scope: string, clock: Clock, { minHitRatio = 0.85, minReads = 100 }: HealthOptions = {}) {
    this.scope = scope;
    this.#clock = clock;
    this.#health = { minHitRatio, minReads };
    this.#bucketEndsMs = clock.monotonic() + bucketMs;
  }

  /** Counts a read that began at `startedMs` of the monotonic clock. */
  read(outcome: ReadOutcome, startedMs: number): void {
    this.reads[outcome] += 1;
    const hit = isHit[outcome];
    const [present] = this.#window;
    if (hit !== undefined && present) {
      present.reads += 1;
      if (hit) present.hits += 1;
    }
    if (startedMs >= this.#bucketEndsMs) this.#turn(startedMs);
    if (cacheEvents.hasSubscribers) {
      const durationMs = this.#clock.monotonic() - startedMs;
      cacheEvents.publish({ type: "read", scope: this.scope, outcome, durationMs });
    }
  }

  /** Takes over what has been peeked at since the last time. */
  #countPeeks(): void {
    const [present] = this.#window;
    if (!present || this.peeks === 0) return;
    this.reads.l1 += this.peeks;
    present.hits += this.peeks;
    present.reads += this.peeks;
    this.peeks = 0;
  }

  /** Counts a value that was not stored. */
  skip(reason: StoreSkipped): void {
    this.skipped[reason] += 1;
    cacheEvents.publish({ type: "store-skipped", scope: this.scope, reason });
  }

  stats(): ScopeStats {
    this.#countPeeks();
    const asked = (Object.keys(isHit) as ReadOutcome[]).filter((outcome) => isHit[outcome] !== undefined);
    const hits = asked.filter((outcome) => isHit[outcome]).reduce((sum, outcome) => sum + this.reads[outcome], 0);
    const reads = asked.reduce((sum, outcome) => sum + this.reads[outcome], 0);
    const all = Object.values(this.reads).reduce((sum, count) => sum + count, 0);
    return {
      scope: this.scope,
      reads: { ...this.reads },
      loads: this.loads,
      loadErrors: this.loadErrors,
      storesSkipped: { ...this.skipped },
      hitRatio: ratio(hits, reads),
      offloadRatio: all === 0 ? 1 : Math.max(0, 1 - this.loads / all),
    };
  }

  health(): ScopeHealth {
    const nowMs = this.#clock.monotonic();
    if (nowMs >= this.#bucketEndsMs) this.#turn(nowMs);
    return this.#judge();
  }

  #judge(): ScopeHealth {
    this.#countPeeks();
    const hits = this.#window.reduce((sum, bucket) => sum + bucket.hits, 0);
    const reads = this.#window.reduce((sum, bucket) => sum + bucket.reads, 0);
    const hitRatio = ratio(hits, reads);
    const healthy = reads < this.#health.minReads || hitRatio >= this.#health.minHitRatio;
    return { scope: this.scope, healthy, hitRatio, reads };
  }

  /** Tells how the window stands, and lets its oldest part go. */
  #turn(nowMs: number): void {
    const { healthy, hitRatio, reads } = this.#judge();
    const { scope } = this;
    if (!healthy) cacheEvents.publish({ type: "hit-ratio-low", scope, ratio: hitRatio, reads });
    else if (this.#wasLow) cacheEvents.publish({ type: "hit-ratio-recovered", scope, ratio: hitRatio });
    this.#wasLow = !healthy;
    const passed = Math.min(buckets, Math.floor((nowMs - this.#bucketEndsMs) / bucketMs) + 1);
    for (let turn = 0; turn < passed; turn += 1) this.#window.unshift({ hits: 0, reads: 0 });
    this.#window.length = Math.min(this.#window.length, buckets);
    this.#bucketEndsMs = nowMs + bucketMs;
  }
}

function ratio(hits: number, reads: number): number {
  return reads === 0 ? 1 : hits / reads;
}
