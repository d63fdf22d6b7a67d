import { InvalidArgumentError, sleep, systemClock, type Clock } from "@sluice/core";
import type { SqlDatabase, SqlTransaction } from "@sluice/postgres";

import type { LockAnswer, LockOwner, LockRequest, LockStore } from "../store.ts";
import { tryLockKeysIn } from "./advisory.ts";

const longestMs = 60_000;

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Longest wait for an answer in ms, that for a connection included. Default 1000. */
  readonly deadlineMs?: number;
  /** Default: the clock of this machine. It measures waits only. */
  readonly clock?: Clock;
}

/**
 * Locks of all processes that share a PostgreSQL, as advisory locks of a transaction: nothing is written, nothing leaks
 * through a pooler, and the server frees the locks of a session that has ended. There are no leases: a lock lasts as long as
 * its transaction, and extending it only asks whether that is alive.
 *
 * Each lock that is held occupies one connection of the database. Acquiring costs two round trips.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function postgresStore(db: SqlDatabase, options: PostgresStoreOptions = {}): LockStore {
  return new AdvisoryLocks(db, options);
}

/** A transaction that stays open while the lock is held. */
interface Session {
  readonly keys: readonly string[];
  readonly tx: SqlTransaction;
  readonly end: () => void;
  /** Rejects when the connection was lost. */
  readonly ended: Promise<void>;
}

class AdvisoryLocks implements LockStore {
  readonly #db: SqlDatabase;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(db: SqlDatabase, { deadlineMs = 1000, clock = systemClock }: PostgresStoreOptions) {
    if (!(deadlineMs >= 1 && deadlineMs <= longestMs)) {
      throw new InvalidArgumentError("deadlineMs", `from 1 to ${longestMs}`, deadlineMs);
    }
    this.#db = db;
    this.#deadlineMs = deadlineMs;
    this.#clock = clock;
  }

  async acquire({ keys, owner }: LockRequest, signal?: AbortSignal): Promise<LockAnswer> {
    const known = this.#sessions.get(owner);
    if (known && keys.every((key) => known.keys.includes(key))) return { granted: true };
    const had = Promise.withResolvers<boolean>();
    const released = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    let isGivenUp = false;
    const work = async (tx: SqlTransaction): Promise<void> => {
      const isHad = !isGivenUp && (await tryLockKeysIn(tx, keys));
      if (isHad) this.#sessions.set(owner, { keys, tx, end: released.resolve, ended: ended.promise });
      had.resolve(isHad);
      if (isHad) await released.promise;
    };
    this.#db.transaction(work).then(ended.resolve, ended.reject);
    ended.promise.catch(had.reject).finally(() => this.#sessions.delete(owner));
    // A refusal is true only when what was had of several keys is free again.
    const answer = had.promise.then((isHad) => isHad || ended.promise.then(() => false));
    try {
      return { granted: await this.#within(answer, signal) };
    } catch (error) {
      // What is had from now on is held for nobody.
      isGivenUp = true;
      released.resolve();
      throw error;
    }
  }

  async extend({ keys, owner }: LockRequest): Promise<boolean> {
    const session = this.#sessions.get(owner);
    if (!session || !keys.every((key) => session.keys.includes(key))) return false;
    const isAlive = session.tx.query("select 1").then(
      () => true,
      () => false,
    );
    if (await this.#within(isAlive)) return true;
    // A transaction whose statement has failed holds nothing that can be relied on.
    session.end();
    return false;
  }

  async release({ owner }: LockOwner): Promise<boolean> {
    const session = this.#sessions.get(owner);
    if (!session) return false;
    session.end();
    await this.#within(session.ended);
    return true;
  }

  /** @throws when there is no answer in time, or whoever asks has left. */
  async #within<T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> {
    const over = new AbortController();
    const late = sleep(this.#clock, this.#deadlineMs, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
    const isLate = late.then(() => {
      throw new Error(`PostgreSQL gave no answer within ${this.#deadlineMs} ms`);
    });
    try {
      return await Promise.race([answer, isLate]);
    } finally {
      over.abort();
    }
  }
}
