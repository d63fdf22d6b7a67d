import { hasCode, parseDuration, sleep, systemClock, systemRandom } from "@sluice/core";
import type { Clock, Duration, Random } from "@sluice/core";
import { withTransaction, type RetryOptions, type Sql, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";

import type { Cache } from "../cache.ts";
import { cacheEvents } from "../events.ts";
import { plainTargets, type InvalidationTarget } from "../target.ts";
import { outboxTable, type OutboxRow, type OutboxTable } from "./outbox-table.ts";

/** Options of {@link createOutbox}. */
export interface OutboxOptions {
  /** Where the outbox is, beside the data that is cached. */
  readonly db: SqlDatabase;
  /** What is invalidated. */
  readonly cache: Pick<Cache, "invalidate">;
  /** The schema of `cacheMigrations`. Default `"sluice"`. */
  readonly schema?: string;
  /** How often the relay looks for what others have left. Default `"1s"`. */
  readonly poll?: Duration;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Spreads the relays of many processes. Default: this machine's. */
  readonly random?: Random;
}

/** Adds to what is invalidated when the transaction has been committed. */
export type Invalidate = (targets: readonly InvalidationTarget[]) => void;

/** Invalidations that are committed together with what they are about. */
export interface CacheOutbox extends AsyncDisposable {
  /**
   * Runs work in a transaction that reruns after conflicts, and invalidates what it names once it is committed. When
   * this resolves, that was applied or is being repeated. Should this process die in between, a relay applies it.
   * One statement more than the work itself, and one after the commit.
   *
   * @throws the errors of `withTransaction`.
   */
  transaction<T>(work: (tx: SqlTransaction, invalidate: Invalidate) => Promise<T>, options?: RetryOptions): Promise<T>;
  /** Adds targets in a transaction of the caller's. A relay applies them after its commit. One statement. */
  add(tx: Sql, targets: readonly InvalidationTarget[]): Promise<void>;
  /** Applies what waits and nobody else is applying. How many targets that were; those that failed stay. */
  deliver(): Promise<number>;
  /** Lets the relay run in the background, until the outbox is closed. Run it in at least one process. */
  start(): void;
  /** Ends the relay. */
  close(): Promise<void>;
}

const rowsAtOnce = 100;
const longestPauseMs = 30_000;

/**
 * An outbox in the database whose rows are cached: an invalidation is committed or rolled back with its cause, so that
 * neither a crash nor an outage of the store can lose it. Rows live until they are applied, and may be applied twice.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createOutbox(options: OutboxOptions): CacheOutbox {
  const { db, cache, schema = "sluice", poll = "1s", clock = systemClock, random = systemRandom } = options;
  const pollMs = parseDuration(poll, { minMs: 1, argument: "poll" });
  const table = outboxTable(schema);
  const closing = new AbortController();
  let running: Promise<void> | undefined;

  async function deliver(): Promise<number> {
    let applied = 0;
    for (;;) {
      const batch = await deliverBatch({ db, cache, table });
      applied += batch.applied;
      if (!batch.hasMore) return applied;
    }
  }

  async function relay(): Promise<void> {
    for (let pauseMs = pollMs; !closing.signal.aborted;) {
      try {
        await deliver();
        pauseMs = pollMs;
      } catch (error) {
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
        cacheEvents.publish({ type: "outbox-failed", error });
      }
      await sleep(clock, pauseMs * (0.5 + random.float() / 2), closing.signal).catch(() => {});
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    await running;
  }

  return {
    transaction: (work, retry) => transaction({ db, cache, table }, work, retry),
    add: async (tx, targets) => void (await table.add(tx, plainTargets(targets))),
    deliver,
    start: () => void (running ??= relay()),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Ground {
  readonly db: SqlDatabase;
  readonly cache: Pick<Cache, "invalidate">;
  readonly table: OutboxTable;
}

async function transaction<T>(
  { db, cache, table }: Ground,
  work: (tx: SqlTransaction, invalidate: Invalidate) => Promise<T>,
  options: RetryOptions | undefined,
): Promise<T> {
  let targets: InvalidationTarget[] = [];
  let id: string | undefined;
  const run = async (tx: SqlTransaction): Promise<T> => {
    // Work that runs again names them again.
    targets = [];
    const result = await work(tx, (named) => void targets.push(...plainTargets(named)));
    id = targets.length === 0 ? undefined : await table.add(tx, targets);
    return result;
  };
  let result: T;
  try {
    result = await withTransaction(db, run, options);
  } catch (error) {
    // It may have been committed all the same.
    if (hasCode(error, "ERR_SLUICE_COMMIT_UNKNOWN")) await isApplied(cache, targets);
    throw error;
  }
  // What is left here is applied once more by a relay: a failure is no reason to fail what was committed.
  if ((await isApplied(cache, targets)) && id !== undefined) await table.remove(db, [id]).catch(() => {});
  return result;
}

/** Whether nothing is left to do. A cache that was closed leaves it to others. */
async function isApplied(cache: Ground["cache"], targets: readonly InvalidationTarget[]): Promise<boolean> {
  try {
    return (await cache.invalidate(targets)).queued === 0;
  } catch (error) {
    cacheEvents.publish({ type: "outbox-failed", error });
    return false;
  }
}

async function deliverBatch({ db, cache, table }: Ground): Promise<{ applied: number; hasMore: boolean }> {
  return db.transaction(async (tx) => {
    const rows = await table.claim(tx, rowsAtOnce);
    const targets = rows.flatMap(targetsOf);
    if (targets.length > 0) await cache.invalidate(targets, { strict: true });
    if (rows.length > 0)
      await table.remove(
        tx,
        rows.map(({ id }) => id),
      );
    return { applied: targets.length, hasMore: rows.length === rowsAtOnce };
  });
}

function targetsOf({ id, targets }: OutboxRow): InvalidationTarget[] {
  try {
    return plainTargets(JSON.parse(targets) as InvalidationTarget[]);
  } catch (error) {
    // It could never be applied, and would hold up all that come after it.
    cacheEvents.publish({ type: "outbox-refused", id, error });
    return [];
  }
}
