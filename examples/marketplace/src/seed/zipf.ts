import type { Random } from "@sluice/core";

/** Draws ranks, 0 the most popular. */
export type Draw = (random: Random) => number;

// Of product views in shops: the first product is seen about twice as often as the second.
const exponent = 1.07;

/**
 * Draws from `count` ranks by Zipf's law: rank k comes up in proportion to 1 / k^1.07. O(log count) per draw.
 *
 * Weights are whole numbers, so that a machine whose `**` differs in the last bit draws the same.
 */
export function zipf(count: number): Draw {
  const ends = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank += 1) {
    total += Math.max(1, Math.floor(1e9 / (rank + 1) ** exponent));
    ends[rank] = total;
  }
  return (random) => firstAbove(ends, random.integer(0, total));
}

/** The first index whose value is above `drawn`. */
function firstAbove(ends: Float64Array, drawn: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? 0) > drawn) high = middle;
    else low = middle + 1;
  }
  return low;
}
