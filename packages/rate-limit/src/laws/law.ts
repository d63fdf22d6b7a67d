import assert from "node:assert/strict";

import type { Random } from "@sluice/core";

import { named, type NamedLimit } from "../field.ts";
import type { Limit } from "../limit.ts";
import type { Answer, LimitAnswer, RateLimitStore } from "../store.ts";

/** What a law may use besides the store. `createFakeClock` of `@sluice/testing` has such a clock. */
export interface StoreLawContext {
  /** The store's only source of time. */
  readonly clock: {
    now(): number;
    /** Moves `now()`, also backwards. */
    stepWall(ms: number): void;
  };
  readonly random: Random;
}

/** A promise that every store keeps. Throws when it is broken; runs with `runLaws` of `@sluice/testing/vitest`. */
export interface StoreLaw {
  /** Present tense, as a user would say it. */
  readonly title: string;
  /** Checks it on a store that knows nothing yet. */
  check(store: RateLimitStore, context: StoreLawContext): Promise<void>;
}

/** A limit with a name, for a store's methods. */
export function limitOf(limit: Limit): NamedLimit {
  return named(limit, limit.name ?? "law");
}

/** How {@link take} asks. */
export interface TakeLaw {
  readonly key?: string;
  readonly cost?: number;
  readonly spend?: boolean;
  readonly token?: string;
  readonly countDenied?: boolean;
}

/** Asks about some limits of one subject. */
export async function take(
  store: RateLimitStore,
  limits: NamedLimit | readonly NamedLimit[],
  { key = "subject", cost = 1, spend = true, token, countDenied }: TakeLaw = {},
): Promise<Answer> {
  const asks = [limits].flat().map((limit) => ({ key, limit, cost, token, countDenied }));
  return store.take(asks, { spend });
}

/** How many of so many calls are let through. */
export async function admitted(
  store: RateLimitStore,
  limits: NamedLimit | readonly NamedLimit[],
  calls: number,
): Promise<number> {
  let count = 0;
  for (let call = 0; call < calls; call += 1) count += (await take(store, limits)).allowed ? 1 : 0;
  return count;
}

/** What the first limit says. */
export function first({ limits }: Answer): LimitAnswer {
  const [limit] = limits;
  assert.ok(limit, "the answer has no limits");
  return limit;
}

/** Checks that a call is denied until exactly its wait is over, and leaves the clock there. */
export async function assertExactWait(
  store: RateLimitStore,
  limit: NamedLimit,
  { clock, ...call }: Pick<StoreLawContext, "clock"> & TakeLaw,
): Promise<void> {
  const denied = await take(store, limit, { ...call, spend: false });
  const { waitMs } = first(denied);
  assert.equal(denied.allowed, false, "denied to begin with");
  assert.ok(waitMs >= 1, `a wait of at least 1 ms, got ${waitMs}`);
  clock.stepWall(waitMs - 1);
  assert.equal((await take(store, limit, { ...call, spend: false })).allowed, false, `denied after ${waitMs - 1} ms`);
  clock.stepWall(1);
  assert.equal((await take(store, limit, { ...call, spend: false })).allowed, true, `allowed after ${waitMs} ms`);
}
