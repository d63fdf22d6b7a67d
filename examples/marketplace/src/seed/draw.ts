import type { Random } from "@sluice/core";

/** One of the items, each as likely as the next. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.integer(0, items.length)];
  if (item === undefined) throw new RangeError("There is nothing to pick from");
  return item;
}

/** Whether something that happens to `percent` of all rows happens to this one. */
export function chance(random: Random, percent: number): boolean {
  return random.integer(0, 100) < percent;
}

// Fixed, so that two machines seed the same rows whenever they do it.
const newestMs = Date.UTC(2026, 0, 31);
const spreadMs = 180 * 86_400_000;

/**
 * When row `index` of `count` was made: over half a year, in order, to the microsecond. Some rows share theirs, as rows
 * of one import do.
 */
export function createdAt(random: Random, index: number, count: number): string {
  const place = chance(random, 4) ? Math.max(0, index - 1) : index;
  const stepMs = spreadMs / count;
  const ms = Math.floor(newestMs - (count - place) * stepMs);
  return new Date(ms).toISOString().replace("Z", `${String((place * 7919) % 1000).padStart(3, "0")}Z`);
}

/** A time up to thirty days after another, as ISO text to the microsecond. */
export function laterThan(random: Random, time: string): string {
  const ms = Date.parse(`${time.slice(0, 23)}Z`) + random.integer(1, 30 * 86_400_000);
  return new Date(ms).toISOString().replace("Z", `${time.slice(23, 26)}Z`);
}
