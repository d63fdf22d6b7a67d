import type { Clock } from "@sluice/core";
import { LRUCache } from "lru-cache";

import { stampOf } from "./generation.ts";
import type { CacheStore } from "./store.ts";

const mostRemembered = 10_000;
const shortestKeepMs = 86_400_000;
// Counted as a size, as a number of entries makes lru-cache allocate all of them at once.
const one = (): number => 1;

/**
 * Keeps generations alive for longer than anything that stands on them: each is touched again after a quarter of its
 * time in the store. One that expires or is evicted all the same costs loads, nothing else.
 */
export class Touched {
  readonly #clock: Clock;
  readonly #atMs = new LRUCache<string, number>({ maxSize: mostRemembered, sizeCalculation: one });
  #keepMs = shortestKeepMs;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the store keeps a generation, in ms. */
  get keepMs(): number {
    return this.#keepMs;
  }

  /** Takes note of how long records may be kept. */
  outlive(recordMs: number): void {
    this.#keepMs = Math.max(this.#keepMs, Math.ceil(4 * recordMs));
  }

  isRecent(generations: readonly string[]): boolean {
    const oldestMs = this.#clock.monotonic() - this.#keepMs / 4;
    return generations.every((key) => (this.#atMs.get(key) ?? Number.NEGATIVE_INFINITY) > oldestMs);
  }

  /** The stamps of generations, each made first where it is absent. One round trip. */
  async mint(store: CacheStore, generations: readonly string[]): Promise<readonly string[]> {
    const values = await store.mint(generations, this.#keepMs);
    for (const key of generations) this.#atMs.set(key, this.#clock.monotonic());
    return values.map(stampOf);
  }
}
