import { InvalidArgumentError } from "@sluice/core";

import type { Booking } from "./decision.ts";
import type { Answer, Ask, Change, RateLimitStore } from "./store.ts";

/** What a correction needs of its limiter. */
export interface Corrector {
  readonly store: RateLimitStore;
  /** Called after a correction, which may let others in sooner. */
  readonly forgetDenial: (key: string) => void;
  /** Called when the store failed. */
  readonly lost: (error: unknown) => void;
}

interface Booked {
  readonly ask: Ask;
  readonly stamp: number;
  /** What is booked now. */
  charged: number;
}

/**
 * A cost as a caller gives it.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT`.
 */
export function checkActual(actual: number): void {
  if (Number.isSafeInteger(actual) && actual >= 0) return;
  throw new InvalidArgumentError("actual", "a whole number, at least 0", actual);
}

/** What a store has booked for one call. */
export class StoreBooking implements Booking {
  readonly #corrector: Corrector;
  readonly #asks: readonly Ask[];
  readonly #answer: Answer;
  // Made when it is asked for: most calls are never corrected.
  #made: readonly Booked[] | undefined = undefined;
  #isReleased = false;
  #settled: Promise<boolean> | undefined = undefined;

  constructor(corrector: Corrector, asks: readonly Ask[], answer: Answer) {
    this.#corrector = corrector;
    this.#asks = asks;
    this.#answer = answer;
  }

  get #booked(): readonly Booked[] {
    const { limits } = this.#answer;
    this.#made ??= this.#asks.map((ask, index) => ({ ask, stamp: limits[index]?.stamp ?? 0, charged: ask.cost }));
    return this.#made;
  }

  async settle(actual: number): Promise<boolean> {
    checkActual(actual);
    // One after the other: what is to be corrected is known only when the correction before is over.
    const settled = this.#settled ? this.#settled.then(() => this.#settle(actual)) : this.#settle(actual);
    this.#settled = settled;
    return settled;
  }

  async release(): Promise<boolean> {
    if (this.#isReleased) return true;
    const done = await this.#apply(this.#slots(), ({ charged }) => -charged);
    this.#isReleased ||= done;
    return done;
  }

  async renew(): Promise<boolean> {
    const slots = this.#slots();
    if (this.#isReleased || slots.length === 0) return false;
    let held = 0;
    const done = await this.#apply(
      slots,
      () => 0,
      (_, applied) => (held += applied.reduce((sum, one) => sum + one, 0)),
    );
    return done && held === slots.length;
  }

  async #settle(actual: number): Promise<boolean> {
    const wrong = this.#booked.filter(({ ask, charged }) => ask.token === undefined && charged !== actual);
    return this.#apply(
      wrong,
      ({ charged }) => actual - charged,
      (corrected) => {
        for (const booked of corrected) booked.charged = actual;
      },
    );
  }

  #slots(): Booked[] {
    return this.#booked.filter(({ ask }) => ask.token !== undefined);
  }

  #change({ ask: { limit, token }, stamp, charged }: Booked, delta: number): Change {
    return { limit, delta, booked: charged, stamp, atMs: this.#answer.atMs, token };
  }

  async #apply(
    all: readonly Booked[],
    deltaOf: (booked: Booked) => number,
    onApplied?: (booked: readonly Booked[], applied: readonly number[]) => void,
  ): Promise<boolean> {
    const { store, lost, forgetDenial } = this.#corrector;
    try {
      for (const [key, ofKey] of Map.groupBy(all, ({ ask }) => ask.key)) {
        const changes = ofKey.map((booked) => this.#change(booked, deltaOf(booked)));
        const applied = await store.adjust(key, changes);
        onApplied?.(ofKey, applied);
        forgetDenial(key);
      }
      return true;
    } catch (error) {
      lost(error);
      return false;
    }
  }
}
