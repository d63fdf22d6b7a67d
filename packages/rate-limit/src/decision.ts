import type { Via } from "./events.ts";
import type { NamedLimit } from "./field.ts";
import type { Answer, Ask } from "./store.ts";

/** What one limit says about a call. */
export interface LimitStatus {
  readonly name: string;
  readonly kind: NamedLimit["kind"];
  /** The limit as it holds for this subject, an override included. */
  readonly limit: number;
  /** The window, the refill period or the lease, in ms. */
  readonly perMs: number;
  /** For buckets: tokens that come back each `perMs`. 0 for others. */
  readonly refill: number;
  /** What may be spent at once, after this call. */
  readonly remaining: number;
  /** Exact ms until this very call would be allowed by this limit, all else equal. 0 when it is. */
  readonly retryAfterMs: number;
  /** Exact ms until a call of cost 1 would be allowed. 0 while something remains. */
  readonly nextMs: number;
}

/** Whether a call may go on, and what can be done about it afterwards. */
export interface Decision extends AsyncDisposable {
  /** Whether the call may go on. */
  readonly allowed: boolean;
  /** What the limits said. Differs from `allowed` in shadow mode, and with `onStoreError: "allow"` is true. */
  readonly wouldAllow: boolean;
  /** Who decided. */
  readonly via: Via;
  /** Exact ms until this very call would be allowed, all else equal: one ms earlier it is denied. 0 when it is. */
  readonly retryAfterMs: number;
  /** For how long the subject stays blocked, in ms. 0 when it is not. */
  readonly blockedMs: number;
  /** One for each limit. Empty where nothing was counted: `via` is `open`, `off` or `exempt`. */
  readonly limits: readonly LimitStatus[];
  /**
   * Corrects what the call has cost, when that is known only afterwards. What exceeds the estimate is charged even if
   * the limit has no room for it. Each limit is corrected in the window in which the call was counted; a window that
   * has passed is left alone. Calling it again corrects again: the last one holds. One round trip.
   *
   * @param actual - A whole number, 0 for a refund. Slots are not touched.
   * @returns whether it was done. False where nothing was spent, and where the store failed: what was spent stands.
   * @throws `ERR_SLUICE_INVALID_ARGUMENT`, as a rejection.
   */
  settle(actual: number): Promise<boolean>;
  /** Gives back what the call has cost, and its slots. The same as `settle(0)` and `release()`. */
  refund(): Promise<boolean>;
  /** Gives back the slots that the call holds. Again is harmless. Its costs at other limits stand. One round trip. */
  release(): Promise<boolean>;
  /** Begins the lease of the call's slots anew. False when it has ended: stop what the slot was for. One round trip. */
  renew(): Promise<boolean>;
  /** The same as `release()`: `await using slot = await limiter.consume(…)`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What was spent, and how it is corrected. */
export interface Booking {
  /** Corrects the costs. */
  settle(actual: number): Promise<boolean>;
  /** Gives back the slots. */
  release(): Promise<boolean>;
  /** Begins the lease of the slots anew. */
  renew(): Promise<boolean>;
}

/** What a decision is made of. */
export interface DecisionFacts {
  readonly via: Via;
  readonly asks: readonly Ask[];
  /** Nothing where nothing was asked. */
  readonly answer: Answer | undefined;
  /** What has passed since the answer held, in ms. */
  readonly agedMs: number;
  readonly booking: Booking | undefined;
}

/** A class, as there is one per call: its methods are made once, and what few callers read is made when they do. */
export class MadeDecision implements Decision {
  readonly allowed: boolean;
  readonly wouldAllow: boolean;
  readonly via: Via;
  readonly #facts: DecisionFacts;

  constructor(facts: DecisionFacts, allowed: boolean, wouldAllow: boolean) {
    this.allowed = allowed;
    this.wouldAllow = wouldAllow;
    this.via = facts.via;
    this.#facts = facts;
  }

  get retryAfterMs(): number {
    const { answer, agedMs } = this.#facts;
    return answer ? Math.max(0, Math.ceil(waitOf(answer) - agedMs)) : 0;
  }

  get blockedMs(): number {
    const { answer, agedMs } = this.#facts;
    return answer ? Math.max(0, Math.ceil(answer.blockedMs - agedMs)) : 0;
  }

  get limits(): readonly LimitStatus[] {
    const { answer, asks, agedMs } = this.#facts;
    if (!answer) return [];
    const left = (ms: number): number => Math.max(0, Math.ceil(ms - agedMs));
    return answer.limits.map(({ limit, remaining, waitMs, nextMs }, index) => {
      const { name = "", kind = "window", perMs = 0, refill = 0 } = asks[index]?.limit ?? {};
      return { name, kind, limit, perMs, refill, remaining, retryAfterMs: left(waitMs), nextMs: left(nextMs) };
    });
  }

  async settle(actual: number): Promise<boolean> {
    return this.#facts.booking ? this.#facts.booking.settle(actual) : false;
  }

  async refund(): Promise<boolean> {
    const { booking } = this.#facts;
    if (!booking) return false;
    const [settled, released] = await Promise.all([booking.settle(0), booking.release()]);
    return settled && released;
  }

  async release(): Promise<boolean> {
    return this.#facts.booking ? this.#facts.booking.release() : false;
  }

  async renew(): Promise<boolean> {
    return this.#facts.booking ? this.#facts.booking.renew() : false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** How long a denied call has to wait: until the last of its limits lets it in and no block is left. */
export function waitOf({ blockedMs, limits }: Answer): number {
  let wait = blockedMs;
  for (const { waitMs } of limits) if (waitMs > wait) wait = waitMs;
  return wait;
}
