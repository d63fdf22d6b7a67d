import type { Algorithm, Correction, Moment, Spending } from "./algorithm.ts";

/** One unit that was spent, and until when it counts. */
interface Entry {
  readonly untilMs: number;
  readonly token: string;
}

/** Units that were spent, the first to be forgotten first. */
export interface EntryListState {
  entries: Entry[];
}

/** Limits that keep every unit by itself: the sliding log, where it counts for a window, and slots, for a lease. */
export const entryList: Algorithm<EntryListState> = {
  begin: () => ({ entries: [] }),

  roll(state, { terms, nowMs }) {
    const last = state.entries.at(-1);
    if (!last) return;
    // Nothing counts for longer than `perMs`. If it seems to, the clock has stepped back: time then stood still.
    const aheadMs = last.untilMs - (nowMs + terms.perMs);
    if (aheadMs > 0) state.entries = state.entries.map((entry) => ({ ...entry, untilMs: entry.untilMs - aheadMs }));
    const live = state.entries.findIndex(({ untilMs }) => untilMs > nowMs);
    if (live !== 0) state.entries.splice(0, live < 0 ? state.entries.length : live);
  },

  waitMs({ entries }, { terms, nowMs }, cost) {
    if (cost > terms.limit) return Infinity;
    const tooMany = entries.length + cost - terms.limit;
    return tooMany <= 0 ? 0 : (entries[tooMany - 1]?.untilMs ?? nowMs) - nowMs;
  },

  remaining: ({ entries }, { terms }) => Math.max(0, terms.limit - entries.length),

  spend(state, { terms, nowMs }, { cost, token }: Spending) {
    const untilMs = nowMs + terms.perMs;
    for (let unit = 0; unit < cost; unit += 1) state.entries.push({ untilMs, token });
    return untilMs;
  },

  adjust(state, moment, correction) {
    const { delta } = correction;
    if (moment.terms.kind === "concurrency" && delta === 0) return renew(state, moment, correction);
    return delta < 0 ? giveBack(state, correction) : charge(state, moment, correction);
  },

  idleAtMs: ({ entries }, { nowMs }) => entries.at(-1)?.untilMs ?? nowMs,
  spent: ({ entries }, { nowMs }) => entries.filter(({ untilMs }) => untilMs > nowMs).length,
  copy: ({ entries }) => ({ entries: [...entries] }),
};

/** Entries of one call: a log knows them by their time, slots by their token. */
function isOf({ stamp, token }: Correction): (entry: Entry) => boolean {
  return token === "" ? ({ untilMs }) => untilMs === stamp : (entry) => entry.token === token;
}

function giveBack(state: EntryListState, correction: Correction): number {
  const mine = isOf(correction);
  const before = state.entries.length;
  let left = -correction.delta;
  state.entries = state.entries.filter((entry) => {
    if (left === 0 || !mine(entry)) return true;
    left -= 1;
    return false;
  });
  return state.entries.length - before;
}

/** More of the same call, which counts for as long as the rest of it. One bucketful above the limit at most. */
function charge(state: EntryListState, { terms, nowMs }: Moment, { delta, stamp, token }: Correction): number {
  if (stamp <= nowMs) return 0;
  const applied = Math.max(0, Math.min(delta, 2 * terms.limit - state.entries.length));
  const place = state.entries.findIndex(({ untilMs }) => untilMs > stamp);
  const added = Array.from({ length: applied }, () => ({ untilMs: stamp, token }));
  state.entries.splice(place < 0 ? state.entries.length : place, 0, ...added);
  return applied;
}

function renew(state: EntryListState, { terms, nowMs }: Moment, correction: Correction): number {
  const mine = isOf(correction);
  const held = state.entries.filter(mine);
  if (held.length === 0) return 0;
  const untilMs = nowMs + terms.perMs;
  state.entries = [...state.entries.filter((entry) => !mine(entry)), ...held.map((entry) => ({ ...entry, untilMs }))];
  return 1;
}
