import { InvalidArgumentError } from "@sluice/core";

import { StoreBooking, type Corrector } from "./booking.ts";
import { MadeDecision, type Booking, type Decision } from "./decision.ts";
import { CostExceedsLimitError } from "./errors.ts";
import { rateLimitEvents, type Via } from "./events.ts";
import type { Plan } from "./plan.ts";
import type { OnStoreError } from "./policy.ts";
import type { Answer, Ask, TakeOptions } from "./store.ts";

/** One policy for one subject at one cost. */
export interface Wanted {
  readonly plan: Plan;
  readonly key: string;
  readonly cost: number;
}

/** What was decided, and by whom. */
export interface Verdict {
  readonly answer: Answer;
  readonly asks: readonly Ask[];
  readonly via: Via;
  /** What has passed since the answer held, in ms. */
  readonly agedMs: number;
  readonly booking: Booking | undefined;
}

/** Where a verdict comes from. */
export interface VerdictContext {
  readonly via: Via;
  readonly corrector: Corrector;
  readonly options: TakeOptions;
}

/** A store's answer, with what it takes to correct it. */
export function verdictOf(asks: readonly Ask[], answer: Answer, { via, corrector, options }: VerdictContext): Verdict {
  const booking = answer.allowed && options.spend ? new StoreBooking(corrector, asks, answer) : undefined;
  return { answer, asks, via, agedMs: 0, booking };
}

/**
 * What the caller gets.
 *
 * @throws `ERR_SLUICE_COST_EXCEEDS_LIMIT` when the call would never be allowed.
 */
export function decisionOf(all: readonly Wanted[], verdict: Verdict): Decision {
  const { answer, asks } = verdict;
  if (!answer.allowed) refuseTooCostly(asks, answer);
  const isShadow = !answer.allowed && all.every(({ plan }) => plan.mode() === "shadow");
  return new MadeDecision(verdict, answer.allowed || isShadow, answer.allowed);
}

/** A decision that nothing was asked about. */
export function uncounted(via: "open" | "off" | "exempt"): Decision {
  return new MadeDecision({ via, asks: [], answer: undefined, agedMs: 0, booking: undefined }, true, true);
}

function refuseTooCostly(asks: readonly Ask[], { limits }: Answer): void {
  const place = limits.findIndex(({ waitMs }) => waitMs === Infinity);
  const ask = asks[place];
  const limit = limits[place];
  if (ask && limit) throw new CostExceedsLimitError({ limitName: ask.limit.name, cost: ask.cost, limit: limit.limit });
}

/**
 * A store that was asked twice about one counter would answer the second as if the first had not been.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT`.
 */
export function refuseTwice(asks: readonly Ask[]): void {
  const seen = new Set<string>();
  for (const { key, limit } of asks) {
    const counter = `${key} ${limit.field}`;
    if (seen.has(counter)) throw new InvalidArgumentError("demands", "for different limits or subjects", counter);
    seen.add(counter);
  }
}

/** What to do about a failed store where policies differ. */
export function strictest(all: readonly Wanted[]): OnStoreError {
  const actions = new Set(all.map(({ plan }) => plan.onStoreError));
  if (actions.has("deny")) return "deny";
  return actions.has("local") ? "local" : "allow";
}

/** Corrects what several policies have booked together. */
export function combined(all: readonly Wanted[], corrector: Corrector): Corrector {
  const forgetDenial = (key: string): void => {
    for (const { plan } of all) plan.denials.forget(key);
  };
  return all.length === 1 ? corrector : { ...corrector, forgetDenial };
}

/** Tells who listens. */
export function told(all: readonly Wanted[], decision: Decision): Decision {
  if (!rateLimitEvents.hasSubscribers) return decision;
  const { allowed, wouldAllow, via, retryAfterMs } = decision;
  const shared = { type: "decision", allowed: wouldAllow, via, retryAfterMs, shadow: allowed && !wouldAllow } as const;
  for (const { plan, key, cost } of all) rateLimitEvents.publish({ ...shared, policy: plan.name, key, cost });
  return decision;
}
