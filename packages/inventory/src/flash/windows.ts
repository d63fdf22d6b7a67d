import type { Clock } from "@sluice/core";

const mostProducts = 10_000;

/** Marks products for a short while, each for as long as the last. Bounded: the oldest mark gives way. */
export class Windows {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
  }

  has(productId: string): boolean {
    const untilMs = this.#untilMs.get(productId);
    if (untilMs === undefined) return false;
    if (this.#clock.monotonic() < untilMs) return true;
    this.#untilMs.delete(productId);
    return false;
  }

  add(productId: string): void {
    if (this.#lengthMs === 0) return;
    this.#untilMs.delete(productId);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size >= mostProducts && oldest !== undefined) this.#untilMs.delete(oldest);
    this.#untilMs.set(productId, this.#clock.monotonic() + this.#lengthMs);
  }

  remove(productId: string): void {
    this.#untilMs.delete(productId);
  }
}
