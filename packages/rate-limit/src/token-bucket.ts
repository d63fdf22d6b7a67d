import type { Algorithm, Correction, Spending } from "./algorithm.ts";

/** What is missing in a bucket, in `1 / perMs` tokens, at a moment. */
export interface BucketState {
  atMs: number;
  debt: number;
  /** What flows back, as of then: a record says by itself what it is worth now. */
  refill: number;
}

/**
 * The Generic Cell Rate Algorithm, continuous-state form: what is missing flows back at `refill` units per ms. Unlike
 * the form that keeps the time at which the bucket is full, it needs no product of time and rate, so any refill is
 * exact.
 */
export const tokenBucket: Algorithm<BucketState> = {
  begin: ({ terms, nowMs }) => ({ atMs: nowMs, debt: 0, refill: terms.refill }),

  roll(state, { terms, nowMs }) {
    const { perMs, limit, refill } = terms;
    // When the clock has stepped back, what has flowed since is taken back: a clock that jumps to and fro mints nothing.
    // Nobody is delayed by more than one full refill.
    const flowed = state.debt - (nowMs - state.atMs) * refill;
    state.debt = Math.max(0, Math.min(flowed, Math.max(state.debt, limit * perMs)));
    state.atMs = nowMs;
    state.refill = refill;
  },

  waitMs({ debt }, { terms }, cost) {
    const { perMs, limit, refill } = terms;
    if (cost > limit) return Infinity;
    return Math.max(0, Math.ceil((debt - (limit - cost) * perMs) / refill));
  },

  remaining: ({ debt }, { terms }) => Math.max(0, Math.floor((terms.limit * terms.perMs - debt) / terms.perMs)),

  spend(state, { terms }, { cost }: Spending) {
    const { perMs, limit } = terms;
    state.debt = Math.max(state.debt, Math.min(state.debt + cost * perMs, 2 * limit * perMs));
    return 0;
  },

  adjust(state, { terms, nowMs }, { delta, booked, atMs }: Correction) {
    const { perMs, limit, refill } = terms;
    const before = state.debt;
    if (delta > 0) {
      // One bucket below empty at most: an estimate that was far too low locks nobody out for good.
      state.debt = Math.max(before, Math.min(before + delta * perMs, 2 * limit * perMs));
      return delta;
    }
    // What may have flowed back since is not given back: without this call the bucket might have been full meanwhile.
    const owed = Math.min(before, booked * perMs - Math.max(0, nowMs - atMs) * refill);
    const given = Math.max(0, Math.min(-delta * perMs, owed));
    state.debt -= given;
    return 0 - Math.ceil(given / perMs);
  },

  idleAtMs: ({ atMs, debt }, { terms }) => atMs + Math.ceil(debt / terms.refill),
  spent: ({ atMs, debt, refill }, { terms, nowMs }) =>
    Math.ceil(Math.max(0, debt - (nowMs - atMs) * refill) / terms.perMs),
  copy: (state) => ({ ...state }),
};
