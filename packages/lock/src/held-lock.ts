import type { Clock } from "@sluice/core";

import { LockLostError } from "./errors.ts";
import type { Lease } from "./lease.ts";

/** A lock that was acquired. Give it back with `release()` or `await using`. */
export interface HeldLock extends AsyncDisposable {
  /** What is locked: distinct, sorted. */
  readonly keys: readonly string[];
  /** Names this acquisition. */
  readonly owner: string;
  /**
   * Fencing tokens by key, when the locks have a fence: greater than those of every earlier holder. Empty otherwise, and
   * in a lock that is `degraded`.
   */
  readonly tokens: ReadonlyMap<string, bigint>;
  /** Whether the store could not be asked, and there is no lock. Only with `onStoreError: "allow"`. */
  readonly degraded: boolean;
  /** Aborted with `ERR_SLUICE_LOCK_LOST` when the lock is lost. Timers are late in a process that stands still. */
  readonly signal: AbortSignal;
  /**
   * For how long the lock is certainly held, in ms, by the monotonic clock: right even after this process stood still.
   * 0 when it is lost or was released. Infinity for a lock that is `degraded`.
   */
  remainingMs(): number;
  /**
   * @throws `ERR_SLUICE_LOCK_LOST` unless the lock is held now. Ask before each write that must not come late.
   */
  assertHeld(): void;
  /**
   * Begins a new lease now, as happens by itself every third of it. One round trip.
   *
   * @returns false when the lock is lost.
   * @throws the store's error. The lease goes on meanwhile.
   */
  extend(): Promise<boolean>;
  /** Lets go. Never rejects: what the store does not hear, the lease ends. Harmless when it was called before. */
  release(): Promise<void>;
}

/** What a held lock is made of. */
export interface HeldLockFacts {
  readonly clock: Clock;
  readonly keys: readonly string[];
  readonly owner: string;
  readonly tokens: ReadonlyMap<string, bigint>;
  readonly lease: Lease;
  readonly grantedMs: number;
  readonly release: () => Promise<void>;
}

/** A class, as one is made per lock and its methods are then made once. */
class HeldLease implements HeldLock {
  readonly keys: readonly string[];
  readonly owner: string;
  readonly tokens: ReadonlyMap<string, bigint>;
  readonly degraded = false;
  readonly #facts: HeldLockFacts;
  #released: Promise<void> | undefined;

  constructor(facts: HeldLockFacts) {
    this.keys = facts.keys;
    this.owner = facts.owner;
    this.tokens = facts.tokens;
    this.#facts = facts;
  }

  get signal(): AbortSignal {
    return this.#facts.lease.signal;
  }

  remainingMs(): number {
    return this.#facts.lease.remainingMs();
  }

  assertHeld(): void {
    const { clock, grantedMs } = this.#facts;
    if (this.remainingMs() === 0) throw new LockLostError(this.keys, clock.monotonic() - grantedMs, "expired");
  }

  extend(): Promise<boolean> {
    return this.#facts.lease.extend();
  }

  release(): Promise<void> {
    this.#released ??= this.#facts.release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

export function heldLock(facts: HeldLockFacts): HeldLock {
  return new HeldLease(facts);
}

/** What the work gets when the store could not be asked, and it is to go on without a lock. */
export function degradedLock(keys: readonly string[], owner: string, onRelease: () => void): HeldLock {
  const release = (): Promise<void> => Promise.resolve(onRelease());
  return {
    keys,
    owner,
    tokens: new Map(),
    degraded: true,
    signal: new AbortController().signal,
    remainingMs: () => Infinity,
    assertHeld: () => undefined,
    extend: () => Promise.resolve(true),
    release,
    [Symbol.asyncDispose]: release,
  };
}
