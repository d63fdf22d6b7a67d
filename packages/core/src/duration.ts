import { describeValue, InvalidArgumentError } from "./errors.ts";

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A unit of {@link Duration}: milliseconds, seconds, minutes, hours, days of 24 hours. */
export type DurationUnit = keyof typeof unitMs;

/** A length of time: whole milliseconds, or a whole number with its unit, such as `"60s"`. */
export type Duration = number | `${number}${DurationUnit}`;

/** What a {@link Duration} may be. Unit: ms. */
export interface DurationRange {
  /** Shortest accepted length in ms. Default 0. */
  readonly minMs?: number;
  /** Longest accepted length in ms. Default `Number.MAX_SAFE_INTEGER`. */
  readonly maxMs?: number;
  /** Names the option in the error. Default `"duration"`. */
  readonly argument?: string;
}

/**
 * The whole milliseconds of a duration. Strict: no sign, fraction, exponent, blank or bare digits in a string, and
 * nothing that a double cannot count exactly.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option and the value.
 * @example
 * ```ts
 * import { parseDuration } from "@sluice/core";
 *
 * parseDuration("60s"); // => 60_000
 * parseDuration(250); // => 250
 * parseDuration("300d"); // => 25_920_000_000
 * ```
 */
export function parseDuration(duration: Duration | (string & {}), range: DurationRange = {}): number {
  const { minMs = 0, maxMs = Number.MAX_SAFE_INTEGER, argument = "duration" } = range;
  const ms = typeof duration === "number" ? duration : milliseconds(duration);
  if (ms === undefined || !Number.isSafeInteger(ms)) {
    throw new InvalidArgumentError(argument, 'whole milliseconds or a string such as "60s"', duration);
  }
  if (!(ms >= minMs && ms <= maxMs)) {
    throw new InvalidArgumentError(argument, `from ${describeValue(minMs)} to ${describeValue(maxMs)} ms`, duration);
  }
  // Turns -0 into 0.
  return ms + 0;
}

function milliseconds(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const [, digits, unit] = /^(\d{1,16})(ms|s|m|h|d)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitMs[unit as DurationUnit];
}
