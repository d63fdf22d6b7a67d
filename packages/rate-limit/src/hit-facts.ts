import { StoreBooking } from "./booking.ts";
import type { Booking, DecisionFacts } from "./decision.ts";
import type { NamedLimit } from "./field.ts";
import type { Answer, Ask, Hit } from "./store.ts";
import type { Wanted } from "./verdict.ts";

/** A call that a store let through by its shortcut. What few callers read is made when they do. */
export class HitFacts implements DecisionFacts {
  readonly #wanted: Wanted;
  readonly #limit: NamedLimit;
  readonly #hit: Hit;
  #booking: Booking | undefined = undefined;

  constructor(wanted: Wanted, limit: NamedLimit, hit: Hit) {
    this.#wanted = wanted;
    this.#limit = limit;
    this.#hit = hit;
  }

  get via(): "store" {
    return "store";
  }

  get agedMs(): number {
    return 0;
  }

  get asks(): readonly Ask[] {
    const { key, cost } = this.#wanted;
    return [{ key, limit: this.#limit, cost }];
  }

  get answer(): Answer {
    const { remaining, moment } = this.#hit;
    const { limit, perMs } = this.#limit;
    const atMs = moment.nowMs;
    const stamp = Math.floor(atMs / perMs);
    return { allowed: true, atMs, blockedMs: 0, limits: [{ limit, remaining, waitMs: 0, nextMs: 0, stamp }] };
  }

  get booking(): Booking {
    // One for all corrections: it knows what is booked by now.
    this.#booking ??= new StoreBooking(this.#wanted.plan.corrector, this.asks, this.answer);
    return this.#booking;
  }
}
