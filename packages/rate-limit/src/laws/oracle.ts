import type { Limit } from "../limit.ts";

/** A call that was let through, at its exact time. */
export interface Hit {
  readonly atMs: number;
  readonly cost: number;
}

/**
 * The reference: what a limit says, by its definition, from the exact times of all that was let through. It keeps
 * everything, counts in BigInt, and finds waits by trying every millisecond. Slow and plain on purpose: stores are
 * compared with it.
 */
export interface Oracle {
  /** Books a call. */
  hit(atMs: number, cost: number): void;
  /** Whether a call fits. */
  allows(atMs: number, cost: number): boolean;
  /** Whole ms until a call fits: 0 when it does, Infinity when it never will. */
  waitMs(atMs: number, cost: number): number;
  /** The largest cost that fits. */
  remaining(atMs: number): number;
  readonly hits: readonly Hit[];
}

/** Makes the reference for a limit. */
export function createOracle(limit: Limit): Oracle {
  const hits: Hit[] = [];
  const fits = definitions[limit.kind];
  const allows = (atMs: number, cost: number): boolean => fits(limit, hits, { atMs, cost });

  function waitMs(atMs: number, cost: number): number {
    if (cost > limit.limit) return Infinity;
    let wait = 0;
    while (!allows(atMs + wait, cost)) wait += 1;
    return wait;
  }

  function remaining(atMs: number): number {
    let cost = 0;
    while (cost < limit.limit && allows(atMs, cost + 1)) cost += 1;
    return cost;
  }

  return { hits, allows, waitMs, remaining, hit: (atMs, cost) => void hits.push({ atMs, cost }) };
}

type Fits = (limit: Limit, hits: readonly Hit[], call: Hit) => boolean;

const definitions: Readonly<Record<Limit["kind"], Fits>> = {
  window: fitsWindow,
  "strict-window": fitsStrictWindow,
  "fixed-window": fitsFixedWindow,
  "sliding-log": fitsLog,
  bucket: fitsBucket,
  concurrency: fitsLog,
};

/** The weighted sum: the hits of this window, and those of the last by the share of it that is still inside. */
function fitsWindow({ limit, perMs }: Limit, hits: readonly Hit[], { atMs, cost }: Hit): boolean {
  const index = Math.floor(atMs / perMs);
  const current = total(hits, ({ atMs: hitMs }) => Math.floor(hitMs / perMs) === index);
  const last = total(hits, ({ atMs: hitMs }) => Math.floor(hitMs / perMs) === index - 1);
  const inside = BigInt(perMs - (atMs - index * perMs));
  return last * inside + (current + BigInt(cost)) * BigInt(perMs) <= BigInt(limit) * BigInt(perMs);
}

/** Everything in the pieces that a span of `perMs` which ends now can touch. */
function fitsStrictWindow({ limit, perMs, parts }: Limit, hits: readonly Hit[], { atMs, cost }: Hit): boolean {
  const piece = (ms: number): bigint => (BigInt(ms) * BigInt(parts)) / BigInt(perMs);
  const oldest = piece(atMs) - BigInt(parts);
  return total(hits, ({ atMs: hitMs }) => piece(hitMs) >= oldest) + BigInt(cost) <= BigInt(limit);
}

function fitsFixedWindow({ limit, perMs }: Limit, hits: readonly Hit[], { atMs, cost }: Hit): boolean {
  const index = Math.floor(atMs / perMs);
  const current = total(hits, ({ atMs: hitMs }) => Math.floor(hitMs / perMs) === index);
  return current + BigInt(cost) <= BigInt(limit);
}

/** Everything that is less than `perMs` old. */
function fitsLog({ limit, perMs }: Limit, hits: readonly Hit[], { atMs, cost }: Hit): boolean {
  return total(hits, ({ atMs: hitMs }) => hitMs > atMs - perMs) + BigInt(cost) <= BigInt(limit);
}

/** A level that every hit raises and that time lowers, never below zero. */
function fitsBucket({ limit, perMs, refill }: Limit, hits: readonly Hit[], { atMs, cost }: Hit): boolean {
  let level = 0n;
  let sinceMs = atMs;
  const flow = (untilMs: number): void => {
    level -= BigInt(Math.max(0, untilMs - sinceMs)) * BigInt(refill);
    if (level < 0n) level = 0n;
    sinceMs = untilMs;
  };
  for (const hit of hits) {
    flow(hit.atMs);
    level += BigInt(hit.cost) * BigInt(perMs);
  }
  flow(atMs);
  return level + BigInt(cost) * BigInt(perMs) <= BigInt(limit) * BigInt(perMs);
}

function total(hits: readonly Hit[], counts: (hit: Hit) => boolean): bigint {
  let sum = 0n;
  for (const hit of hits) if (counts(hit)) sum += BigInt(hit.cost);
  return sum;
}
