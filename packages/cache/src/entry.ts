import type { ReadOutcome } from "./events.ts";
import type { Loader } from "./load.ts";
import type { EntryTarget } from "./target.ts";

/** How one value is read. */
export interface ReadOptions<Value> {
  /** Loads in place of the scope's `load`. */
  readonly load?: Loader<Value>;
  /** Loads and stores anew, whatever is stored. Default `false`. */
  readonly fresh?: boolean;
  /** Lets this caller go: its promise rejects with `signal.reason`. A load goes on for those who still wait. */
  readonly signal?: AbortSignal;
}

/** A value with where it came from. */
export interface CacheRead<Value> {
  readonly value: Value;
  readonly outcome: ReadOutcome;
  /** How long ago it was stored, in ms. 0 for one that was loaded just now. */
  readonly ageMs: number;
}

/** One set of parameters, with its keys built once. Also what to invalidate. */
export interface CacheEntry<Value> extends EntryTarget {
  /** The key of the record. */
  readonly key: string;
  /** As {@link CacheScope.get}. */
  get(options?: ReadOptions<Value>): Promise<Value>;
  /** As {@link CacheScope.peek}. */
  peek(): Value | undefined;
}
