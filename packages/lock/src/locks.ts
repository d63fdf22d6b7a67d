import type { Clock, Random } from "@sluice/core";

import { Acquisition } from "./acquisition.ts";
import { LockBusyError } from "./errors.ts";
import { holdTraces } from "./events.ts";
import type { Fence } from "./fence.ts";
import type { HeldLock } from "./held-lock.ts";
import { KeyQueues } from "./key-queues.ts";
import { lockKeys } from "./keys.ts";
import { checkTimes, settingsOf } from "./settings.ts";
import type { LockStore } from "./store.ts";

/** Options of {@link createLocks}. */
export interface LocksOptions {
  /** Where locks live. Default: this process. */
  readonly store?: LockStore;
  /** How long a lock outlives its holder, in ms, from 100 to 86 400 000. A holder extends it. Default 10 000. */
  readonly leaseMs?: number;
  /** Longest wait for a lock in ms. An answer that is late may take as much as the store's deadline more. Default 2000. */
  readonly waitMs?: number;
  /**
   * When the store cannot be asked: `deny` throws `ERR_SLUICE_LOCK_UNAVAILABLE`; `allow` goes on without a lock, for
   * locks that only spare work. Default `deny`.
   */
  readonly onStoreError?: "allow" | "deny";
  /** Mints fencing tokens. Default: none are minted. */
  readonly fence?: Fence;
  /** Longest pause between two attempts in ms, should the store not tell that the lock is free. Default 250. */
  readonly pollMs?: number;
  /** Callers of this process that may wait at once; one more is told that the lock is busy. Default 10 000. */
  readonly maxWaiting?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
  /** Names owners, and spreads attempts. Default: cryptographic. */
  readonly random?: Random;
}

/** How one lock is acquired. */
export interface AcquireOptions {
  /** Default: that of {@link createLocks}. */
  readonly leaseMs?: number;
  /** Default: that of {@link createLocks}. 0 asks once. */
  readonly waitMs?: number;
  /** Ends the wait with its reason. Does nothing once the lock is held. */
  readonly signal?: AbortSignal;
}

/** Locks of one kind. */
export interface Locks {
  /**
   * Runs the work while it holds the lock, on all keys or not at all. The lock is extended while the work runs, and let
   * go of when it has ended, however it has. The work's own result or error is what the caller gets, even when the lock
   * was lost meanwhile: watch `held.signal`, or ask `held.assertHeld()` before a write. Two round trips, and one for
   * every third of a lease.
   *
   * @param keys - One or up to 1000, in any order; taken in the same order by everybody.
   * @throws `ERR_SLUICE_LOCK_BUSY` when the lock was not free within `waitMs`. The work did not run.
   * @throws `ERR_SLUICE_LOCK_UNAVAILABLE` when the store could not be asked. The work did not run.
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for impossible keys and options.
   */
  withLock<T>(
    keys: string | readonly string[],
    work: (held: HeldLock) => Promise<T> | T,
    options?: AcquireOptions,
  ): Promise<T>;
  /** Acquires a lock that the caller gives back. Throws as {@link Locks.withLock}. */
  acquire(keys: string | readonly string[], options?: AcquireOptions): Promise<HeldLock>;
  /** Acquires a lock if it is free now; undefined if it is not. One round trip. Otherwise as {@link Locks.acquire}. */
  tryAcquire(keys: string | readonly string[], options?: Omit<AcquireOptions, "waitMs">): Promise<HeldLock | undefined>;
}

/**
 * Locks that only one holder at a time has, among all processes that share the store.
 *
 * A lock is a lease: it ends by itself `leaseMs` after its holder has died or lost the store. So a holder that stands
 * still for longer than that is overtaken, and no lock service can stop what it then writes; see `fence`. Callers of
 * one process queue up first come, first served, and only the first of them asks the store.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { createLocks } from "@sluice/lock";
 *
 * const locks = createLocks();
 * await locks.withLock("invoice:42", async (held) => held.remainingMs() > 9000); // => true
 * ```
 */
export function createLocks(options: LocksOptions = {}): Locks {
  const settings = settingsOf(options);
  const queues = new KeyQueues();
  const prefix = Buffer.from(settings.random.bytes(12)).toString("base64url");
  let count = 0;

  function acquisition(keys: string | readonly string[], perCall: AcquireOptions): Acquisition {
    const { leaseMs = settings.leaseMs, waitMs = settings.waitMs, signal } = perCall;
    checkTimes({ leaseMs, waitMs });
    count += 1;
    const request = { keys: lockKeys(keys), owner: `${prefix}:${count.toString(36)}`, leaseMs };
    return new Acquisition({ ...settings, queues, request, waitMs, signal });
  }

  // Not an async function, in which every lock would wait for a promise more.
  function acquire(keys: string | readonly string[], perCall: AcquireOptions = {}): Promise<HeldLock> {
    try {
      return acquisition(keys, perCall).run();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return {
    acquire,
    async tryAcquire(keys, perCall = {}) {
      try {
        return await acquire(keys, { ...perCall, waitMs: 0 });
      } catch (error) {
        if (error instanceof LockBusyError) return undefined;
        throw error;
      }
    },
    async withLock(keys, work, perCall) {
      await using held = await acquire(keys, perCall);
      return await holdTraces.trace({ keys: held.keys }, async () => work(held));
    },
  };
}
