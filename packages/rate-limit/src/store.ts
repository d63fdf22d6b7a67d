import type { NamedLimit } from "./field.ts";

/** What is wanted of one limit of one subject. */
export interface Ask {
  /** Where the subject is kept. */
  readonly key: string;
  readonly limit: NamedLimit;
  /** What the call costs, a whole number from 1 on. */
  readonly cost: number;
  /**
   * Counts the call though it is denied, by whatever limit, unless its subject is blocked. For windows and buckets, which
   * then hold twice their limit at most. Default `false`.
   */
  readonly countDenied?: boolean | undefined;
  /** Names the slots that the call would hold. For concurrency alone; 12 characters of a base64url alphabet. */
  readonly token?: string | undefined;
}

/** How a store is asked. */
export interface TakeOptions {
  /** Spend if every limit allows it. Otherwise only look. */
  readonly spend: boolean;
  /** Ends the wait of the caller. */
  readonly signal?: AbortSignal | undefined;
}

/** What one limit says. */
export interface LimitAnswer {
  /** The limit as it holds for this subject, an override included. */
  readonly limit: number;
  /** What may be spent at once after this call. */
  readonly remaining: number;
  /** Exact ms until this very call would be allowed by this limit, all else equal. 0 when it is; Infinity for never. */
  readonly waitMs: number;
  /** Exact ms until a call of cost 1 would be allowed. 0 while something remains. */
  readonly nextMs: number;
  /** Where the cost was booked, for {@link RateLimitStore.adjust}. */
  readonly stamp: number;
}

/** What a store decided. */
export interface Answer {
  /** Every limit allows the call and the subject is not blocked. */
  readonly allowed: boolean;
  /** The store's time of the decision, in ms since the epoch. */
  readonly atMs: number;
  /** For how long the subject stays blocked, in ms. 0 when it is not. */
  readonly blockedMs: number;
  /** One for each ask, in their order. */
  readonly limits: readonly LimitAnswer[];
}

/** A correction of what an earlier {@link RateLimitStore.take} spent. */
export interface Change {
  readonly limit: NamedLimit;
  /** Less than zero gives back, more charges, 0 renews the slots of `token`. */
  readonly delta: number;
  /** What has been booked for it until now, earlier corrections included. */
  readonly booked: number;
  /** {@link LimitAnswer.stamp} of what is corrected. */
  readonly stamp: number;
  /** {@link Answer.atMs} of what is corrected. */
  readonly atMs: number;
  readonly token?: string | undefined;
}

/** A record about a subject that outlives its counts. */
export type Mark =
  | {
      readonly kind: "block";
      /** From now on, in ms. 0 lifts it. */
      readonly forMs: number;
    }
  | {
      readonly kind: "override";
      /** Of the limits that it replaces. */
      readonly name: string;
      readonly limit: number;
      /** For buckets; 0 leaves the refill as it is. */
      readonly refill: number;
      /** From now on, in ms. 0 lifts it. */
      readonly forMs: number;
    };

/** Everything that a store knows about a subject. */
export interface SubjectState {
  /** For how long it stays blocked, in ms. 0 when it is not. */
  readonly blockedMs: number;
  /** Its overrides, by name. */
  readonly overrides: readonly {
    readonly name: string;
    readonly limit: number;
    /** 0 where the limit's own refill holds. */
    readonly refill: number;
    readonly leftMs: number;
  }[];
  /** What it has spent and is remembered, by field. Windows count what is fading in full. */
  readonly counters: readonly {
    readonly name: string;
    readonly kind: NamedLimit["kind"];
    readonly perMs: number;
    readonly spent: number;
  }[];
}

/** Stores that answer at once need no promise. */
export type MaybePromise<T> = T | Promise<T>;

/** What a call came to that one limit let through, with something left. */
export interface Hit {
  /** When it was decided, by the store's time in ms since the epoch. */
  readonly moment: { readonly nowMs: number };
  /** What may be spent at once after this call, 1 at least. */
  readonly remaining: number;
}

/**
 * Where limits are counted. Each method is one atomic step, and the store reads its own clock. Every method settles in
 * bounded time: a limiter puts no deadline around its store.
 */
export interface RateLimitStore {
  /**
   * Decides about all the asks at once: all are spent, or none is but those that count what is denied. Asks may be for
   * different subjects. No two of them have both the same key and the same field.
   */
  take(asks: readonly Ask[], options: TakeOptions): MaybePromise<Answer>;
  /**
   * A shortcut of {@link take} for stores that answer at once: spends at one limit, where the limit is as it was asked,
   * lets the call through and has something left. Undefined where any of it is not so, and then nothing is spent.
   */
  hit?(key: string, limit: NamedLimit, cost: number): Hit | undefined;
  /**
   * Corrects what was spent, where it was spent: what its window has forgotten is neither given back nor charged.
   * Answers how much of each delta was applied, parts of a bucket's token as a whole one; for a renewal 1, or 0 when the
   * slots are gone.
   */
  adjust(key: string, changes: readonly Change[]): MaybePromise<readonly number[]>;
  /** Writes a block or an override. */
  mark(key: string, mark: Mark): MaybePromise<void>;
  /** Forgets what the subject has spent at these limits; with no limits at all of them, and lifts a block. */
  reset(key: string, limits?: readonly NamedLimit[]): MaybePromise<void>;
  /** Shows what is kept about a subject. For operators: it is not made to be fast. */
  inspect(key: string): MaybePromise<SubjectState>;
}
