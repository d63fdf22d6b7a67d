import type { Tally } from "./load.ts";
import { spreadOf, type Spread } from "./spread.ts";
import type { Totals } from "./totals.ts";

/** What became of one sale. Times in ms. */
export interface Outcome extends Totals {
  /** From the request's sending to the answer that accepted it. */
  readonly accepted: Spread | undefined;
  /** The server's own part of it: from the body's arrival to the COMMIT. */
  readonly server: Spread | undefined;
  /** Answers that were neither an order nor a refusal, by what they were. */
  readonly others: Tally["others"];
  readonly repeats: number;
  readonly elapsedMs: number;
}

/** Puts together what buyers were told and what the database says. */
export function outcomeOf(tally: Tally, totals: Totals): Outcome {
  const { accepted, others, repeats, elapsedMs } = tally;
  const served = accepted.flatMap(({ acceptMs }) => (acceptMs === undefined ? [] : [acceptMs]));
  const took = accepted.map(({ tookMs }) => tookMs);
  return { ...totals, accepted: spreadOf(took), server: spreadOf(served), others, repeats, elapsedMs };
}

/** What a sale should have come to. */
export interface Expected {
  readonly buyers: number;
  readonly units: number;
}

/** What is wrong with a sale, a sentence each; none when it kept its promises. */
export function failuresOf(outcome: Outcome, { buyers, units }: Expected): string[] {
  const due = Math.min(buyers, units);
  const { sold, oversold, lost, violations } = outcome;
  return [
    ...(oversold === 0 ? [] : [`${oversold} units were sold that never were there.`]),
    ...(sold === due ? [] : [`${sold} units were sold, not ${due}.`]),
    ...(lost === 0 ? [] : [`${lost} accepted orders are not in the database.`]),
    ...(violations === 0 ? [] : [`The inventory's books are off in ${violations} places.`]),
  ];
}
