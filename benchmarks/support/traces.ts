import { seededRandom } from "@sluice/core";

/** What all algorithms of the accuracy benchmark are set to. */
export const limit = 60;
/** The window, in ms. */
export const per = 60_000;

const startMs = Date.UTC(2026, 0, 1);
const windows = 6;

function every(
  stepMs: number,
  { from = 0, calls = Infinity }: { readonly from?: number; readonly calls?: number } = {},
) {
  const times: number[] = [];
  for (let atMs = from; atMs < windows * per && times.length < calls; atMs += stepMs) times.push(Math.floor(atMs));
  return times;
}

function bursts(atMs: readonly number[], calls: number): number[] {
  return atMs.flatMap((from) => every(1, { from, calls }));
}

function random(calls: number): number[] {
  const source = seededRandom(42);
  return Array.from({ length: calls }, () => source.integer(0, windows * per));
}

const relative: Readonly<Record<string, readonly number[]>> = {
  // Well-behaved: whatever is denied here is denied for the algorithm's own convenience.
  "at the limit": every(per / limit),
  "twice the limit": every(per / limit / 2),
  flood: every(20),
  // The end of one aligned window and the beginning of the next.
  "over an edge": bursts([per - 100, per, 3 * per - 100, 3 * per], limit),
  // The same for windows that begin with somebody's first call.
  "over the first call's edge": [7, ...bursts([per - 93], limit - 1), ...bursts([per + 8], limit)],
  "edge, then steady": [...bursts([per - 61], limit), ...every(per / limit / 3, { from: per })],
  "a burst each half window": bursts(
    [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5].map((part) => part * per + 1),
    limit,
  ),
  random: random(limit * windows * 2),
};

/** When calls come, in ms since the epoch, in order. */
export const traces: Readonly<Record<string, readonly number[]>> = Object.fromEntries(
  Object.entries(relative).map(([name, times]) => [
    name,
    times.map((atMs) => startMs + atMs).toSorted((a, b) => a - b),
  ]),
);
