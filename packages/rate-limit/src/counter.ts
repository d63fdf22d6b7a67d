import type { Algorithm, Correction, Moment, Spending } from "./algorithm.ts";

/** Hits by piece of a window: `counts[0]` in piece `at`, `counts[1]` in the one before, and so on. */
export interface CounterState {
  at: number;
  readonly counts: number[];
}

/**
 * Windows that count in pieces: the aligned window (the oldest piece counts for nothing), the weighted sliding window
 * (it counts by the share of it that is still inside) and the strict window (it counts in full).
 *
 * Time is in `1 / parts` ms, in which a piece is `perMs` long and everything is a whole number. Sums are compared as
 * multiples of `1 / perMs`; with `limit * perMs` below 2^53 all products that decide are exact.
 */
export const counter: Algorithm<CounterState> = {
  begin: ({ terms, nowMs }) => ({
    at: pieceOf(terms, nowMs),
    counts: Array.from({ length: terms.parts + 1 }, () => 0),
  }),

  roll(state, { terms, nowMs }) {
    const { counts } = state;
    const shift = pieceOf(terms, nowMs) - state.at;
    if (shift > 0) {
      if (shift < counts.length) counts.copyWithin(shift, 0);
      counts.fill(0, 0, shift);
      state.at += shift;
    } else if (shift < -terms.parts) {
      // The clock has stepped back by more than a window: the counts are kept, but nobody waits longer than one.
      state.at += shift + terms.parts;
    }
  },

  waitMs(state, { terms, nowMs }, cost) {
    const { perMs, parts, limit } = terms;
    if (cost > limit) return Infinity;
    // How far time has come in the newest piece. After a step back of the clock, time waits at the piece's beginning.
    const age = Math.max(0, nowMs * parts - state.at * perMs);
    let full = sum(state.counts, parts);
    for (let ahead = 0; ; ahead += 1) {
      const start = startOf(terms, limit - full - cost, ahead > parts ? 0 : (state.counts[parts - ahead] ?? 0));
      if (ahead === 0 && start <= age) return 0;
      if (start < perMs) return Math.ceil(((state.at + ahead) * perMs + start) / parts) - nowMs;
      full -= ahead < parts ? (state.counts[parts - 1 - ahead] ?? 0) : 0;
    }
  },

  remaining(state, { terms, nowMs }) {
    const { kind, perMs, parts, limit } = terms;
    const oldest = kind === "fixed-window" ? 0 : (state.counts[parts] ?? 0);
    const age = Math.max(0, nowMs * parts - state.at * perMs);
    const faded = kind === "window" ? Math.ceil((oldest * (perMs - age)) / perMs) : oldest;
    return Math.max(0, limit - sum(state.counts, parts) - faded);
  },

  hit(state, { terms, nowMs }, cost) {
    const { kind, perMs, limit } = terms;
    const age = nowMs - state.at * perMs;
    if (kind === "strict-window" || age < 0 || age >= perMs) return -1;
    const newer = state.counts[0] ?? 0;
    const older = state.counts[1] ?? 0;
    const faded = kind === "window" ? older * (perMs - age) : 0;
    const room = (limit - newer - cost) * perMs - faded;
    if (room < perMs) return -1;
    state.counts[0] = newer + cost;
    return Math.floor(room / perMs);
  },

  spend(state, { terms }, { cost }: Spending) {
    const newest = state.counts[0] ?? 0;
    // More comes only of denied calls: twice the limit keeps out for as long as anything does.
    state.counts[0] = Math.max(newest, Math.min(newest + cost, 2 * terms.limit));
    return state.at;
  },

  adjust(state, _moment, { delta, stamp }: Correction) {
    const count = state.counts[state.at - stamp];
    if (count === undefined) return 0;
    // Plus zero, as -0 is not what anybody expects.
    const applied = Math.max(-count, delta) + 0;
    state.counts[state.at - stamp] = count + applied;
    return applied;
  },

  idleAtMs: (state, { terms }) => Math.ceil(((state.at + terms.parts + 1) * terms.perMs) / terms.parts),
  spent: (state, { terms, nowMs }) =>
    sum(state.counts, Math.max(0, state.counts.length - Math.max(0, pieceOf(terms, nowMs) - state.at))),
  copy: ({ at, counts }) => ({ at, counts: [...counts] }),
};

function pieceOf({ perMs, parts }: Moment["terms"], nowMs: number): number {
  return Math.floor((nowMs * parts) / perMs);
}

/** The sum of the newest counts. */
function sum(counts: readonly number[], howMany: number): number {
  let total = 0;
  for (let index = 0; index < howMany; index += 1) total += counts[index] ?? 0;
  return total;
}

/** From when on in a piece `room` suffices, if that piece begins with `oldest` hits in the piece that is fading. */
function startOf({ kind, perMs }: Moment["terms"], room: number, oldest: number): number {
  if (room < 0) return Infinity;
  if (kind === "fixed-window" || oldest <= room) return 0;
  // A strict window takes it in full. A weighted one needs oldest * (perMs - start) <= room * perMs.
  return kind === "strict-window" ? Infinity : perMs - Math.floor((room * perMs) / oldest);
}
