import type { SqlDatabase, SqlTransaction } from "@sluice/postgres";

import type { LockAnswer, LockOwner, LockRequest, LockStore } from "../store.ts";
import { tryLockKeysIn } from "./advisory.ts";

/**
 * Locks of all processes that share a PostgreSQL, as advisory locks of a transaction: nothing is written, nothing leaks
 * through a pooler, and the server frees the locks of a session that has ended. There are no leases: a lock lasts as long as
 * its transaction, and extending it only asks whether that is alive.
 *
 * Each lock that is held occupies one connection of the database. Acquiring costs two round trips.
 */
export function postgresStore(db: SqlDatabase): LockStore {
  return new AdvisoryLocks(db);
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
  readonly #sessions = new Map<string, Session>();

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  async acquire({ keys, owner }: LockRequest): Promise<LockAnswer> {
    const known = this.#sessions.get(owner);
    if (known && keys.every((key) => known.keys.includes(key))) return { granted: true };
    const had = Promise.withResolvers<boolean>();
    const released = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const work = async (tx: SqlTransaction): Promise<void> => {
      const isHad = await tryLockKeysIn(tx, keys);
      if (isHad) this.#sessions.set(owner, { keys, tx, end: released.resolve, ended: ended.promise });
      had.resolve(isHad);
      if (isHad) await released.promise;
    };
    this.#db.transaction(work).then(ended.resolve, ended.reject);
    ended.promise.catch(had.reject).finally(() => this.#sessions.delete(owner));
    const isHad = await had.promise;
    // A refusal is true only when what was had of several keys is free again.
    if (!isHad) await ended.promise;
    return { granted: isHad };
  }

  async extend({ keys, owner }: LockRequest): Promise<boolean> {
    const session = this.#sessions.get(owner);
    if (!session || !keys.every((key) => session.keys.includes(key))) return false;
    try {
      await session.tx.query("select 1");
      return true;
    } catch {
      // A transaction whose statement has failed holds nothing that can be relied on.
      session.end();
      return false;
    }
  }

  async release({ owner }: LockOwner): Promise<boolean> {
    const session = this.#sessions.get(owner);
    if (!session) return false;
    session.end();
    await session.ended;
    return true;
  }
}
