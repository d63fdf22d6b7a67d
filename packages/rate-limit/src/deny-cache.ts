import type { Answer } from "./store.ts";

/** A denial, and since when it holds. */
export interface CachedDenial {
  readonly answer: Answer;
  readonly cost: number;
  /** Monotonic time before the store was asked: the store's wait counts from no earlier. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

const longestMs = 1000;

/**
 * Denials that must still hold: a flood of calls that are denied costs the store one call a second. It is sound, as
 * only a refund, a reset or a raised limit can let anybody in before the exact wait; those made by this process are
 * told by {@link forget}, those of others are noticed within a second. Bounded: the oldest denial goes first.
 */
export class DenyCache {
  readonly #max: number;
  readonly #denials = new Map<string, CachedDenial>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The denial that holds for a call of this cost: another one has another wait. */
  find(key: string, cost: number, nowMs: () => number): CachedDenial | undefined {
    if (this.#denials.size === 0) return undefined;
    const denial = this.#denials.get(key);
    if (denial?.cost !== cost) return undefined;
    if (nowMs() < denial.untilMs) return denial;
    this.#denials.delete(key);
    return undefined;
  }

  /** Remembers a denial for as long as it must hold, a second at most. */
  add(key: string, denial: Omit<CachedDenial, "untilMs">, waitMs: number): void {
    if (this.#max === 0) return;
    this.#denials.delete(key);
    if (this.#denials.size >= this.#max) {
      const [oldest] = this.#denials.keys();
      if (oldest !== undefined) this.#denials.delete(oldest);
    }
    this.#denials.set(key, { ...denial, untilMs: denial.sinceMs + Math.min(waitMs, longestMs) });
  }

  /** Forgets what was denied to a subject. */
  forget(key: string): void {
    this.#denials.delete(key);
  }
}
