import { InvalidArgumentError } from "@sluice/core";
import { sqlState, type SqlTransaction } from "@sluice/postgres";

import { LockBusyError } from "../errors.ts";
import { lockKeys } from "../keys.ts";
import { lockKeysIn } from "./advisory.ts";
import { lockNotAvailable, withLockTimeout } from "./lock-timeout.ts";

const longestMs = 86_400_000;

/** How {@link lockInTransaction} waits. */
export interface TransactionLockOptions {
  /** Longest wait for a lock in ms, from 1 to 86 400 000. Default 2000. */
  readonly waitMs?: number;
}

/**
 * Holds a lock until the transaction ends, committed or not. It excludes {@link postgresStore} of the same keys, and
 * nothing can be lost: the lock and the writes live and die together. Five round trips.
 *
 * @throws `ERR_SLUICE_LOCK_BUSY` when the lock was not free in time. The transaction goes on as it was before.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for impossible keys and options.
 */
export async function lockInTransaction(
  tx: SqlTransaction,
  keys: string | readonly string[],
  { waitMs = 2000 }: TransactionLockOptions = {},
): Promise<void> {
  const ordered = lockKeys(keys);
  if (!(waitMs >= 1 && waitMs <= longestMs)) throw new InvalidArgumentError("waitMs", `from 1 to ${longestMs}`, waitMs);
  await tx.script("savepoint sluice_lock");
  try {
    await withLockTimeout(tx, waitMs, () => lockKeysIn(tx, ordered));
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error;
    // The failed statement would fail the whole transaction; this also frees what was had of several keys.
    await tx.script("rollback to savepoint sluice_lock; release savepoint sluice_lock");
    throw new LockBusyError(ordered, waitMs, "held");
  }
  await tx.script("release savepoint sluice_lock");
}
