import { inventoryEvents } from "./events.ts";

/** A lock between processes, as that of `@sluice/lock`. It only thins the queue before the row lock, which decides. */
export interface LockPort {
  withLock<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
}

/**
 * Runs work under the lock of its products; without it when it cannot be had, as the row locks decide in any case. Locks
 * are taken before the transaction begins: one that waits for a lock holds none in the database.
 */
export async function underLock<T>(
  lock: LockPort | undefined,
  productIds: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (!lock) return work();
  let begun: Promise<T> | undefined;
  const keys = [...new Set(productIds)].map((id) => `inventory:${id}`).toSorted((a, b) => (a < b ? -1 : 1));
  try {
    return await lock.withLock(keys, () => (begun = work()));
  } catch (error) {
    // The work has an outcome of its own, whatever became of the lock.
    if (begun) return begun;
    inventoryEvents.publish({ type: "degraded", part: "lock", error });
    return work();
  }
}
