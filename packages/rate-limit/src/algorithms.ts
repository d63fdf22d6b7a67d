import type { Algorithm } from "./algorithm.ts";
import { counter, type CounterState } from "./counter.ts";
import { entryList, type EntryListState } from "./entry-list.ts";
import type { LimitKind } from "./limit.ts";
import { tokenBucket, type BucketState } from "./token-bucket.ts";

/** The state of a limit, of whatever kind. */
export type LimitState = CounterState | EntryListState | BucketState;

const algorithms = {
  window: counter,
  "strict-window": counter,
  "fixed-window": counter,
  "sliding-log": entryList,
  bucket: tokenBucket,
  concurrency: entryList,
} as const satisfies Readonly<Record<LimitKind, unknown>>;

/** The arithmetic of a kind. Its states are its own affair: pass back only what it made. */
export function algorithmOf(kind: LimitKind): Algorithm<LimitState> {
  return algorithms[kind];
}
