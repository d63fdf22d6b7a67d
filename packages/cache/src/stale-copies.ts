import type { Clock } from "@sluice/core";
import { LRUCache } from "lru-cache";

import type { Found } from "./look.ts";
import type { Policy } from "./policy.ts";

const restMs = 1000;
const mostResting = 10_000;
// Counted as a size, as a number of entries makes lru-cache allocate all of them at once.
const one = (): number => 1;

/** When a value past its time may be served. One that was invalidated never may: it is not found in the first place. */
export class StaleCopies {
  readonly #clock: Clock;
  readonly #policy: Policy;
  readonly #restUntilMs = new LRUCache<string, number>({ maxSize: mostResting, sizeCalculation: one });

  constructor(clock: Clock, policy: Policy) {
    this.#clock = clock;
    this.#policy = policy;
  }

  /** At once, while it is reloaded: within `whileRevalidate`, after a soft flush, or right after a failed load. */
  mayServe(key: string, { staleMs, softened }: Found): boolean {
    const { staleWhileRevalidateMs, staleOnErrorMs } = this.#policy;
    if (staleMs < staleWhileRevalidateMs || (softened && staleMs === 0)) return true;
    return staleMs < staleOnErrorMs && this.isResting(key);
  }

  /** When a load fails, takes long, or is another process's. */
  mayFallBack({ fresh, staleMs, softened }: Found): boolean {
    const { staleWhileRevalidateMs, staleOnErrorMs } = this.#policy;
    const isAllowed = staleMs < Math.max(staleWhileRevalidateMs, staleOnErrorMs);
    return !fresh && (isAllowed || (softened && staleMs === 0));
  }

  /** After a failed load, a key is not loaded again for a second. */
  rest(key: string): void {
    this.#restUntilMs.set(key, this.#clock.monotonic() + restMs);
  }

  isResting(key: string): boolean {
    const untilMs = this.#restUntilMs.get(key);
    if (untilMs === undefined) return false;
    if (this.#clock.monotonic() < untilMs) return true;
    this.#restUntilMs.delete(key);
    return false;
  }
}
