import type { Clock } from "@sluice/core";

import { checkActual, type Corrector } from "./booking.ts";
import type { Booking } from "./decision.ts";
import type { NamedLimit } from "./field.ts";
import type { Answer, Ask } from "./store.ts";

/** Tokens of one subject that the store has granted to this process. */
interface Lease {
  readonly key: string;
  readonly answer: Answer;
  /** From before the store was asked: the tokens are never used for longer than the lease. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly granted: number;
  left: number;
}

/** What a lease says to a call: an answer, and whether this process or the store gave it. */
export interface LeaseAnswer {
  readonly answer: Answer;
  readonly via: "lease" | "store";
  readonly asks: readonly Ask[];
  readonly agedMs: number;
  readonly booking: Booking | undefined;
}

/** How leases are taken. */
export interface LeasesOptions extends Corrector {
  readonly clock: Clock;
  readonly limit: NamedLimit;
  readonly leaseMs: number;
}

const mostLeases = 10_000;

/**
 * Budget of a bucket that is taken in advance and spent here. A token is paid for when it is granted and dies with its
 * lease, so what is spent in a span of `t` ms was granted in one of `t + leaseMs`: at most
 * `capacity + rate * (t + leaseMs)`, however many processes take part. What is left when a lease ends is lost, at most
 * one grant per process and lease.
 *
 * A grant begins at what the call costs and doubles while it is used up, to half of what the lease lasts for and half of
 * what the bucket has left; near exhaustion it is back at one call.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #leases = new Map<string, Lease>();
  readonly #pending = new Map<string, Promise<LeaseAnswer>>();

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** Spends here if there is something left, otherwise takes more. Calls that need more wait for one grant. */
  take(ask: Ask, signal: AbortSignal | undefined): LeaseAnswer | Promise<LeaseAnswer> {
    const lease = this.#live(ask.key);
    if (lease && lease.left >= ask.cost) return this.#spend(lease, ask);
    const pending = this.#pending.get(ask.key);
    if (pending) return this.#after(pending, ask, signal);
    const granted = this.#grant(ask, lease, signal);
    if (this.#pending.size < mostLeases) {
      this.#pending.set(ask.key, granted);
      const over = (): void => void this.#pending.delete(ask.key);
      granted.then(over, over);
    }
    return granted;
  }

  /** Forgets what was granted to a subject. */
  forget(key: string): void {
    this.#leases.delete(key);
  }

  /** Gives back what is left. */
  async close(): Promise<void> {
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    await Promise.all(leases.map((lease) => this.#adjust(lease, -lease.left)));
  }

  #live(key: string): Lease | undefined {
    const lease = this.#leases.get(key);
    return lease && this.#options.clock.monotonic() < lease.untilMs ? lease : undefined;
  }

  async #after(pending: Promise<LeaseAnswer>, ask: Ask, signal: AbortSignal | undefined): Promise<LeaseAnswer> {
    const { answer } = await pending;
    const lease = this.#live(ask.key);
    if (lease && lease.left >= ask.cost) return this.#spend(lease, ask);
    // What was denied to a call of this cost or less a moment ago is denied to all who waited for it.
    if (!answer.allowed) return this.#askAlone(ask, signal);
    return this.take(ask, signal);
  }

  async #grant(ask: Ask, last: Lease | undefined, signal: AbortSignal | undefined): Promise<LeaseAnswer> {
    const { clock, leaseMs, limit } = this.#options;
    const sinceMs = clock.monotonic();
    const wanted = this.#sizeOf(ask, last ?? this.#leases.get(ask.key), sinceMs);
    const answer = await this.#ask({ key: ask.key, limit, cost: wanted }, signal);
    if (!answer.allowed) {
      this.#leases.delete(ask.key);
      return wanted > ask.cost ? this.#askAlone(ask, signal) : denied(ask, answer);
    }
    const untilMs = sinceMs + leaseMs;
    const lease: Lease = { key: ask.key, answer, sinceMs, untilMs, granted: wanted, left: wanted };
    this.#keep(lease);
    return this.#spend(lease, ask);
  }

  /** The call alone, with nothing in advance. */
  async #askAlone(ask: Ask, signal: AbortSignal | undefined): Promise<LeaseAnswer> {
    const { clock, leaseMs } = this.#options;
    const sinceMs = clock.monotonic();
    const answer = await this.#ask(ask, signal);
    if (!answer.allowed) return denied(ask, answer);
    const untilMs = sinceMs + leaseMs;
    return this.#spend({ key: ask.key, answer, sinceMs, untilMs, granted: ask.cost, left: ask.cost }, ask);
  }

  async #ask(ask: Ask, signal: AbortSignal | undefined): Promise<Answer> {
    return this.#options.store.take([ask], { spend: true, signal });
  }

  #sizeOf({ cost }: Ask, last: Lease | undefined, nowMs: number): number {
    if (!last) return cost;
    const used = last.granted - last.left;
    const perMs = used / Math.max(1, nowMs - last.sinceMs);
    const forHalfALease = Math.ceil((perMs * this.#options.leaseMs) / 2);
    const remaining = Math.floor((last.answer.limits[0]?.remaining ?? 0) / 2);
    return Math.max(cost, Math.min(2 * last.granted, forHalfALease, remaining));
  }

  #keep(lease: Lease): void {
    if (this.#leases.size >= mostLeases && !this.#leases.has(lease.key)) {
      const nowMs = this.#options.clock.monotonic();
      for (const [key, { untilMs }] of this.#leases) if (untilMs <= nowMs) this.#leases.delete(key);
      if (this.#leases.size >= mostLeases) return;
    }
    this.#leases.set(lease.key, lease);
  }

  #spend(lease: Lease, ask: Ask): LeaseAnswer {
    lease.left -= ask.cost;
    const [granted] = lease.answer.limits;
    const remaining = lease.left;
    const limit = { limit: granted?.limit ?? 0, remaining, waitMs: 0, nextMs: 0, stamp: granted?.stamp ?? 0 };
    return {
      answer: { allowed: true, atMs: lease.answer.atMs, blockedMs: 0, limits: [limit] },
      via: "lease",
      asks: [ask],
      agedMs: 0,
      booking: new LeaseBooking(ask.cost, (delta) => this.#correct(lease, delta)),
    };
  }

  /** Puts tokens back or takes more: from the lease if it lives, for the rest from the store. */
  async #correct(lease: Lease, delta: number): Promise<boolean> {
    const isLive = this.#live(lease.key) === lease;
    if (delta <= 0) {
      if (isLive) lease.left -= delta;
      return isLive;
    }
    const fromLease = isLive ? Math.min(lease.left, delta) : 0;
    lease.left -= fromLease;
    return this.#adjust(lease, delta - fromLease);
  }

  async #adjust({ key, answer }: Lease, delta: number): Promise<boolean> {
    if (delta === 0) return true;
    const { store, limit, lost } = this.#options;
    try {
      const stamp = answer.limits[0]?.stamp ?? 0;
      await store.adjust(key, [{ limit, delta, booked: Math.abs(delta), stamp, atMs: answer.atMs }]);
      return true;
    } catch (error) {
      lost(error);
      return false;
    }
  }
}

function denied(ask: Ask, answer: Answer): LeaseAnswer {
  return { answer, via: "store", asks: [ask], agedMs: 0, booking: undefined };
}

/** What one call has spent of a lease. */
class LeaseBooking implements Booking {
  readonly #correct: (delta: number) => Promise<boolean>;
  #charged: number;

  constructor(charged: number, correct: (delta: number) => Promise<boolean>) {
    this.#charged = charged;
    this.#correct = correct;
  }

  async settle(actual: number): Promise<boolean> {
    checkActual(actual);
    const delta = actual - this.#charged;
    this.#charged = actual;
    const done = await this.#correct(delta);
    if (!done) this.#charged -= delta;
    return done;
  }

  release(): Promise<boolean> {
    return Promise.resolve(true);
  }

  renew(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
