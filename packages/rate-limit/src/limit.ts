import { InvalidArgumentError, parseDuration, type Duration } from "@sluice/core";

/** The algorithms. */
export type LimitKind = "window" | "strict-window" | "fixed-window" | "sliding-log" | "bucket" | "concurrency";

/** One limit, a plain value. Made by {@link window} and its siblings, which check it. */
export interface Limit {
  /** The algorithm. */
  readonly kind: LimitKind;
  /** Names the limit in decisions, headers and the store. Undefined: the name of its policy. */
  readonly name?: string | undefined;
  /** Most that may be spent: in a window, from a full bucket, or held at once. */
  readonly limit: number;
  /** The window, the period of the refill, or the lease of a slot, in ms. */
  readonly perMs: number;
  /** Pieces that a window is counted in. 1 for everything but a strict window. */
  readonly parts: number;
  /** Tokens that come back each `perMs`. 0 for everything but a bucket. */
  readonly refill: number;
}

/** What a window is made of. */
export interface WindowOptions {
  /** Names the limit. Needed where a policy has several. Default: the name of the policy. */
  readonly name?: string;
  /** Most that may be spent, a whole number from 1 on. `limit` times the milliseconds of `per` stays below 2^53. */
  readonly limit: number;
  /** The window, from 1 ms to 366 days. */
  readonly per: Duration;
}

/** What a strict window is made of. */
export interface StrictWindowOptions extends WindowOptions {
  /** Pieces that the window is counted in, from 1 to 100. More pieces forget sooner and cost more. Default 10. */
  readonly parts?: number;
}

/** What a bucket is made of. */
export interface BucketOptions {
  /** Names the limit. Needed where a policy has several. Default: the name of the policy. */
  readonly name?: string;
  /** Tokens of a full bucket, a whole number from 1 on: the largest burst. */
  readonly capacity: number;
  /** Tokens that come back each `every`, a whole number from 1 on. They come one by one, not all at once. */
  readonly refill: number;
  /** The period of the refill, from 1 ms to 366 days. `capacity` times its milliseconds stays below 2^52. */
  readonly every: Duration;
}

/** What a limit on concurrency is made of. */
export interface ConcurrencyOptions {
  /** Names the limit. Needed where a policy has several. Default: the name of the policy. */
  readonly name?: string;
  /** Slots that may be held at once, from 1 to 1000. */
  readonly limit: number;
  /** A slot that is neither released nor renewed for this long is free again, from 1 ms to 366 days. */
  readonly lease: Duration;
}

/** The longest window, refill period and lease: 366 days. */
export const longestMs: number = 366 * 86_400_000;
/** Entries of a sliding log, and slots: each is stored by itself. */
export const mostEntries = 1000;
const mostParts = 100;

/**
 * The sliding window that most people mean: the hits of the current aligned window, plus those of the one before it,
 * weighted by how much of that one still counts. Two numbers per subject, O(1).
 *
 * With 800 hits in the window before, 300 in this one and 55 of 60 s of the former still counting, the weighted sum is
 * 1033: a limit of 1000 denies. It assumes that hits were spread evenly, so it is no cap on every span: one that ends a
 * burst at the edge of a window may let nearly twice the limit through. Where that matters take {@link strictWindow}.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function window({ name, limit, per }: WindowOptions): Limit {
  const perMs = checkedMs("per", per);
  checkProduct("limit", checkedCount("limit", limit), perMs);
  return { kind: "window", name: checkedName(name), limit, perMs, parts: 1, refill: 0 };
}

/**
 * A window that never lets more than `limit` through in any span of `per`, wherever the span begins. It counts in
 * `parts` pieces and takes the oldest in full, so a hit is remembered for up to `per * (1 + 1 / parts)`.
 *
 * Proof. Let piece `i` hold the hits of the times `t` with `floor(t * parts / per) = i`, and let the last hit of some
 * closed span of length `per` come at `t`, in piece `j`. Every other hit of the span came at `t - per` or later, hence
 * in piece `j - parts` or later. When the hit at `t` was let through, the sum of the pieces `j - parts` to `j` with it
 * was at most `limit`, and that sum covers the whole span.
 *
 * O(parts).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function strictWindow({ name, limit, per, parts = 10 }: StrictWindowOptions): Limit {
  const perMs = checkedMs("per", per);
  checkProduct("limit", checkedCount("limit", limit), perMs);
  checkedCount("parts", parts, mostParts);
  return { kind: "strict-window", name: checkedName(name), limit, perMs, parts: Math.min(parts, perMs), refill: 0 };
}

/**
 * A window that begins at a multiple of `per` since the epoch and forgets everything at the next. Cheap and easy to
 * explain; at the edge of two windows twice the limit passes. O(1).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function fixedWindow({ name, limit, per }: WindowOptions): Limit {
  const perMs = checkedMs("per", per);
  checkProduct("limit", checkedCount("limit", limit), perMs);
  return { kind: "fixed-window", name: checkedName(name), limit, perMs, parts: 1, refill: 0 };
}

/**
 * An exact window: it keeps the time of every hit, 13 bytes each, so `limit` is at most 1000. A hit counts for exactly
 * `per`. O(log limit) to decide, O(limit) bytes to write.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function slidingLog({ name, limit, per }: WindowOptions): Limit {
  const perMs = checkedMs("per", per);
  checkedCount("limit", limit, mostEntries);
  return { kind: "sliding-log", name: checkedName(name), limit, perMs, parts: 1, refill: 0 };
}

/**
 * A token bucket: bursts up to `capacity`, then a steady rate. Counted as the Generic Cell Rate Algorithm in its
 * continuous-state form, in whole numbers
 * ({@link https://www.itu.int/rec/T-REC-I.371 | ITU-T I.371, annex A}). O(1).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function bucket({ name, capacity, refill, every }: BucketOptions): Limit {
  const perMs = checkedMs("every", every);
  checkedCount("refill", refill);
  // Twice, because what is settled above the estimate may overdraw a bucket once.
  checkProduct("capacity", checkedCount("capacity", capacity), perMs * 2);
  return { kind: "bucket", name: checkedName(name), limit: capacity, perMs, parts: 1, refill };
}

/**
 * A limit on what runs at once: a slot is held from {@link RateLimiter.consume} to {@link Decision.release}, at most
 * for its lease. O(log limit) to decide, 25 bytes per slot.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function concurrency({ name, limit, lease }: ConcurrencyOptions): Limit {
  const perMs = checkedMs("lease", lease);
  checkedCount("limit", limit, mostEntries);
  return { kind: "concurrency", name: checkedName(name), limit, perMs, parts: 1, refill: 0 };
}

/**
 * A count as an option gives it: whole, from 1 to `most`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function checkedCount(argument: string, value: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new InvalidArgumentError(argument, `a whole number from 1 to ${most}`, value);
}

/** Refuses a count that no longer multiplies exactly with the milliseconds of its window. */
export function checkProduct(argument: string, count: number, ms: number): void {
  if (count <= Math.floor(Number.MAX_SAFE_INTEGER / ms)) return;
  throw new InvalidArgumentError(argument, `at most ${Math.floor(Number.MAX_SAFE_INTEGER / ms)} here`, count);
}

function checkedMs(argument: string, duration: Duration): number {
  return parseDuration(duration, { argument, minMs: 1, maxMs: longestMs });
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * A name as it may stand in keys and headers.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT`.
 */
export function checkedName<Name extends string | undefined>(name: Name, argument = "name"): Name {
  if (name === undefined || (typeof name === "string" && namePattern.test(name))) return name;
  throw new InvalidArgumentError(argument, "1 to 64 letters, digits, and any of _ . -", name);
}
