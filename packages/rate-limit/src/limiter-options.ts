import type { Clock, Duration, Random } from "@sluice/core";

import type { Decision } from "./decision.ts";
import type { NamedLimit } from "./field.ts";
import type { Mode, OnStoreError, PolicyInput } from "./policy.ts";
import type { RateLimitStore, SubjectState } from "./store.ts";
import type { Subject } from "./subject.ts";

/** What {@link createRateLimiter} is made of. */
export interface RateLimiterOptions<Name extends string> {
  /**
   * Limits by the name under which calls ask for them: 1 to 64 letters, digits, and any of `_ . -`. Limits of one kind,
   * name and window are one limit with one count, in whatever policies they are, and must be equal.
   */
  readonly policies: Readonly<Record<Name, PolicyInput>>;
  /** Where limits are counted. Default: this process, `memoryStore({ clock, random })`. */
  readonly store?: RateLimitStore;
  /**
   * Whether limits hold. A function is asked at each call, so a flag needs no restart; a call to which it answers
   * anything else is rejected with `ERR_SLUICE_INVALID_ARGUMENT`. Default `"enforce"`.
   */
  readonly mode?: Mode | (() => Mode);
  /**
   * What a failed store means for a call. `allow`: it passes uncounted. `deny`: `ERR_SLUICE_RATE_LIMIT_UNAVAILABLE`.
   * `local`: this process counts by itself, to its share of each limit. Default `"allow"`.
   */
  readonly onStoreError?: OnStoreError;
  /**
   * Subjects that are never limited, counted or told about, such as monitors and services of one's own: a list, or a
   * function that is asked at each call. Default none.
   */
  readonly exempt?: readonly Subject[] | ((subject: Subject) => boolean);
  /** Processes that share the limits, for `local`: each counts to `limit / instances`. Default 1. */
  readonly instances?: number;
  /** Denials that are remembered per policy, at most. 0 asks the store each time. Default 10 000. */
  readonly denyCache?: number;
  /** Default: the clock of this machine. A store in Redis has its own. */
  readonly clock?: Clock;
  /** Names slots. Default: cryptographic. */
  readonly random?: Random;
}

/** How a call is made. */
export interface ConsumeOptions {
  /** What it costs, a whole number from 1 on. Default 1. */
  readonly cost?: number;
  /** Ends the wait: the promise rejects with the signal's reason. What was sent may have been counted. */
  readonly signal?: AbortSignal | undefined;
}

/** How {@link RateLimiter.acquire} waits. */
export interface AcquireOptions extends ConsumeOptions {
  /** Longest wait. Where more is needed the denial comes at once. Default 10 s. */
  readonly maxWait?: Duration;
}

/** One of the decisions that {@link RateLimiter.consumeAll} makes together. */
export interface Demand<Name extends string> {
  readonly policy: Name;
  readonly subject: Subject;
  /** What it costs, a whole number from 1 on. Default 1. */
  readonly cost?: number;
}

/** What replaces a limit for one subject. */
export interface OverrideOptions {
  /** Which limit of the policy. Default: the only one. */
  readonly name?: string;
  /** The new limit: a whole number from 1 on. */
  readonly limit: number;
  /** For a bucket: the new refill. Default: as it is. */
  readonly refill?: number;
  /** How long it holds, from 1 ms to 3660 days. */
  readonly for: Duration;
}

/** Decides whether calls may go on. */
export interface RateLimiter<Name extends string> extends AsyncDisposable {
  /** The limits of each policy. */
  readonly policies: Readonly<Record<Name, readonly NamedLimit[]>>;
  /**
   * Asks all limits of a policy and spends at all of them, or at none. A denial is a value. One round trip, none while
   * a lease or a remembered denial answers.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT`, as a rejection, for an unknown policy, a subject or a cost that is none.
   * @throws `ERR_SLUICE_COST_EXCEEDS_LIMIT` when the cost never fits. Nothing was spent.
   * @throws `ERR_SLUICE_RATE_LIMIT_UNAVAILABLE` when the store failed and `onStoreError` is `deny`.
   */
  consume(policy: Name, subject: Subject, options?: ConsumeOptions): Promise<Decision>;
  /**
   * The same for several policies and subjects at once, such as a user and an organisation: all are spent, or none is.
   * Where policies differ about a failed store, `deny` counts before `local` and `local` before `allow`. One round
   * trip; on a Cluster one per hash slot, and two more for a denial.
   *
   * @param demands - 1 to 16. No limit of a subject may occur twice.
   * @throws as {@link consume}.
   */
  consumeAll(
    demands: readonly Demand<Name>[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Decision>;
  /** Says what {@link consume} would, and spends nothing. One round trip. */
  check(policy: Name, subject: Subject, options?: ConsumeOptions): Promise<Decision>;
  /**
   * Waits until the call fits, then spends. Sleeps exactly as long as the limits say, so callers who wait for the same
   * token wake up together and all but one wait on. A slot may be released at any moment: where none is free it looks
   * again each 100 ms. The decision is a denial only when it would take longer than `maxWait`.
   *
   * @throws as {@link consume}; the signal's reason when it aborts.
   */
  acquire(policy: Name, subject: Subject, options?: AcquireOptions): Promise<Decision>;
  /**
   * Forgets what a subject has spent: at the limits of one policy, or everywhere, which also lifts a block. Overrides
   * stay. Other processes notice within a second.
   *
   * @throws the store's error.
   */
  reset(subject: Subject, policy?: Name): Promise<void>;
  /**
   * Denies everything to a subject, for 1 ms to 3660 days. Processes with a lease for it go on until the lease ends.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT`, as a rejection, or the store's error.
   */
  block(subject: Subject, duration: Duration): Promise<void>;
  /**
   * Lifts a block. Other processes notice within a second.
   *
   * @throws the store's error.
   */
  unblock(subject: Subject): Promise<void>;
  /**
   * Replaces a limit for one subject, at once and in every process, without a restart; `undefined` ends that. It holds
   * for all limits of that name, whatever policy they are in.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT`, as a rejection, naming the option, or the store's error.
   */
  override(
    policy: Name,
    subject: Subject,
    override: OverrideOptions | { readonly name?: string } | undefined,
  ): Promise<void>;
  /**
   * Everything that is kept about a subject.
   *
   * @throws the store's error.
   */
  inspect(subject: Subject): Promise<SubjectState>;
  /** Gives back what leases have left. The limiter goes on working. */
  close(): Promise<void>;
}
