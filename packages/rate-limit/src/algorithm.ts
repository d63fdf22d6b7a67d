import type { Limit } from "./limit.ts";

/** A limit at a moment: its effective numbers, and what time it is. */
export interface Moment {
  readonly terms: Pick<Limit, "kind" | "limit" | "perMs" | "parts" | "refill">;
  readonly nowMs: number;
}

/** What is spent. */
export interface Spending {
  readonly cost: number;
  readonly token: string;
}

/** What is corrected afterwards. */
export interface Correction {
  readonly delta: number;
  readonly booked: number;
  readonly stamp: number;
  readonly atMs: number;
  readonly token: string;
}

/**
 * Arithmetic over the state of one limit of one subject. No I/O and no clock: the moment comes in. Every method but
 * `begin` needs a state that `roll` has brought to that moment.
 */
export interface Algorithm<State> {
  /** The state of a subject that has spent nothing. */
  begin(moment: Moment): State;
  /** Forgets what no longer counts. When the clock has stepped back, it bounds by how much that can delay anybody. */
  roll(state: State, moment: Moment): void;
  /** Exact ms until a call of this cost fits. 0 when it does; Infinity when it never will. */
  waitMs(state: State, moment: Moment, cost: number): number;
  /** The largest cost that fits now. */
  remaining(state: State, moment: Moment): number;
  /**
   * Spends if that leaves something, and answers how much; -1, with nothing spent, where it does not or where the state
   * must be rolled first. Takes a state as it is. Absent where the long way is as short.
   */
  hit?(state: State, moment: Moment, cost: number): number;
  /** Spends, and answers where it was booked. */
  spend(state: State, moment: Moment, spending: Spending): number;
  /** Gives back or charges what is still remembered of a spending. Answers how much. */
  adjust(state: State, moment: Moment, correction: Correction): number;
  /** When nothing of it will count any more, in ms since the epoch. */
  idleAtMs(state: State, moment: Moment): number;
  /** What it remembers as spent, whether it has been rolled or not. Reads no limit and no refill of the terms. */
  spent(state: State, moment: Moment): number;
  copy(state: State): State;
}
