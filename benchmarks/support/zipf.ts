import type { Random } from "@sluice/core";

/** Numbers from 0 up to below `count`, the small ones often: the one at place n comes 1/n as often as the first. */
export function zipf(random: Random, count: number): () => number {
  let sum = 0;
  const upTo = Array.from({ length: count }, (_, index) => (sum += 1 / (index + 1)));
  return () => {
    const drawn = random.float() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
