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
    const wrong = this.#booked.filter(({ ask, charged }) => ask.token === undefined && charged !== actual);
    const changes = wrong.map((booked) => this.#change(booked, actual - booked.charged));
    const done = await this.#apply(changes);
    if (done) for (const booked of wrong) booked.charged = actual;
    return done;
  }

  async release(): Promise<boolean> {
    if (this.#isReleased) return true;
    const done = await this.#apply(this.#slots().map((booked) => this.#change(booked, -booked.charged)));
    this.#isReleased ||= done;
    return done;
  }

  async renew(): Promise<boolean> {
    const slots = this.#slots();
    if (this.#isReleased || slots.length === 0) return false;
    let held = 0;
    const done = await this.#apply(
      slots.map((booked) => this.#change(booked, 0)),
      (applied) => (held += applied.reduce((sum, one) => sum + one, 0)),
    );
    return done && held === slots.length;
  }

  #slots(): Booked[] {
    return this.#booked.filter(({ ask }) => ask.token !== undefined);
  }

  #change({ ask: { key, limit, token }, stamp, charged }: Booked, delta: number): Change & { readonly key: string } {
    return { key, limit, delta, booked: charged, stamp, atMs: this.#answer.atMs, token };
  }

  async #apply(
    changes: readonly (Change & { readonly key: string })[],
    onApplied?: (applied: readonly number[]) => void,
  ): Promise<boolean> {
    const { store, lost, forgetDenial } = this.#corrector;
    try {
      for (const [key, ofKey] of Map.groupBy(changes, (change) => change.key)) {
        const applied = await store.adjust(key, ofKey);
        onApplied?.(applied);
        forgetDenial(key);
      }
      return true;
    } catch (error) {
      lost(error);
      return false;
    }
  }
}
