import { InvalidArgumentError, parseDuration, type Clock, type Duration } from "@sluice/core";
import { LRUCache } from "lru-cache";

import { Cells, type Cell } from "./cells.ts";
import { cacheEvents } from "./events.ts";
import { deepFreeze } from "./freeze.ts";
import type { CacheStore, Pushes } from "./store.ts";

/** Copies of values in this process. */
export interface L1Options {
  /** Most copies. Default 10 000. */
  readonly maxEntries?: number;
  /** Most bytes, by the size of the records. Default 64 MiB. */
  readonly maxBytes?: number;
  /** No copy is read for longer than this after its value was asked for. Default `"5s"`. */
  readonly maxAge?: Duration;
  /** No copy is read for longer than this after an invalidation was announced. Default `"2s"`. */
  readonly maxLag?: Duration;
}

/** A value in this process. */
export interface Copy {
  readonly value: unknown;
  /** When it was stored, in ms of the store's clock. */
  readonly storedMs: number;
  /** Moment of the monotonic clock after which it is not read. */
  readonly untilMs: number;
  /** What was announced when it was asked for. */
  readonly cells: readonly Cell[];
  /** The number of {@link Cells.deaths} at which all its cells were alive. */
  aliveAt: number;
  readonly size: number;
}

/** What was known when a value was asked for: a later announcement keeps it from being copied. */
export interface Watch {
  readonly askedMs: number;
  readonly cells: readonly Cell[];
}

/** What is copied. */
export interface Original {
  readonly value: unknown;
  readonly storedMs: number;
  /** Length of its record. */
  readonly size: number;
  /** For how long it is fresh. */
  readonly leftMs: number;
}

// What a copy takes beside its value: its key, cells and places in maps.
const overhead = 300;

/** The copies of one cache, each dead as soon as an announcement touches what it was made of. */
export class L1 {
  readonly #copies: LRUCache<string, Copy>;
  readonly #cells = new Cells();
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #maxLagMs: number;
  #pushes: Pushes | undefined;
  #trustedUntilMs: number;

  constructor(clock: Clock, { maxEntries = 10_000, maxBytes = 2 ** 26, maxAge = "5s", maxLag = "2s" }: L1Options) {
    this.#clock = clock;
    this.#maxAgeMs = parseDuration(maxAge, { minMs: 1, argument: "l1.maxAge" });
    this.#maxLagMs = parseDuration(maxLag, { minMs: 1, argument: "l1.maxLag" });
    this.#trustedUntilMs = Number.NEGATIVE_INFINITY;
    checkSize("l1.maxEntries", maxEntries);
    checkSize("l1.maxBytes", maxBytes);
    this.#copies = new LRUCache<string, Copy>({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: ({ size }) => size,
      dispose: ({ cells }) => this.#cells.release(cells),
    });
  }

  /** Begins to listen. Without announcements, copies live by their age alone. */
  async open(store: CacheStore): Promise<void> {
    if (!store.listen) {
      this.#trustedUntilMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#pushes = await store.listen({ onPush: (key) => this.#cells.kill(key), onDoubt: () => this.#doubt() });
  }

  /** A copy that may be read now. O(1). */
  peek(key: string): Copy | undefined {
    const copy = this.#copies.get(key);
    if (copy === undefined) return undefined;
    const nowMs = this.#clock.monotonic();
    if (nowMs >= copy.untilMs || (copy.aliveAt !== this.#cells.deaths && !this.#isAlive(copy))) {
      this.#copies.delete(key);
      return undefined;
    }
    // A copy in doubt may be good again.
    return nowMs < this.#trustedUntilMs || this.#isTrusted(nowMs) ? copy : undefined;
  }

  /** Notes what is known before a value is asked for; undefined when it must not be copied. Ends with {@link unwatch}. */
  watch(keys: readonly string[]): Watch | undefined {
    if (this.#pushes ? !this.#pushes.live : this.#trustedUntilMs !== Number.POSITIVE_INFINITY) return undefined;
    return { askedMs: this.#clock.monotonic(), cells: this.#cells.hold(keys) };
  }

  /** The same watch for one more holder, who ends it as well. */
  again(watch: Watch | undefined): Watch | undefined {
    if (watch) this.#cells.share(watch.cells);
    return watch;
  }

  unwatch(watch: Watch | undefined): void {
    if (watch) this.#cells.release(watch.cells);
  }

  /** Copies a value, unless something was announced since it was asked for. */
  keep(key: string, watch: Watch, { value, storedMs, size, leftMs }: Original): void {
    if (!isAlive(watch.cells)) return;
    // From when it was asked for, not from when it came: it may have been replaced in between.
    const untilMs = watch.askedMs + Math.min(this.#maxAgeMs, leftMs);
    const cells = this.#cells.share(watch.cells);
    const aliveAt = this.#cells.deaths;
    deepFreeze(value);
    this.#copies.set(key, { value, storedMs, untilMs, cells, aliveAt, size: size + overhead });
  }

  /** Ends the copies of a key, or of all that stands on a generation. O(1). */
  kill(key: string): void {
    this.#cells.kill(key);
  }

  async close(): Promise<void> {
    this.#doubt();
    await this.#pushes?.close();
  }

  #isAlive(copy: Copy): boolean {
    if (!isAlive(copy.cells)) return false;
    copy.aliveAt = this.#cells.deaths;
    return true;
  }

  #isTrusted(nowMs: number): boolean {
    if (!this.#pushes?.live) return false;
    this.#trustedUntilMs = this.#pushes.deliveredUpToMs + this.#maxLagMs;
    return nowMs < this.#trustedUntilMs;
  }

  #doubt(): void {
    this.#trustedUntilMs = Number.NEGATIVE_INFINITY;
    this.#cells.killAll();
    this.#copies.clear();
    cacheEvents.publish({ type: "l1-distrusted" });
  }
}

function checkSize(argument: string, size: number): void {
  if (!(Number.isSafeInteger(size) && size >= 1))
    throw new InvalidArgumentError(argument, "a whole number from 1", size);
}

function isAlive(cells: readonly Cell[]): boolean {
  return cells.every(({ dead }) => !dead);
}
