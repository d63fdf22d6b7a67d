import { type Clock, InvalidArgumentError, type Random, sleep, systemClock, systemRandom } from "@sluice/core";

import { NestedUseError } from "./errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import type { SqlDatabase, SqlTransaction, TransactionOptions } from "./sql.ts";
import { postgresEvents, type TransactionTrace, transactionTraces } from "./telemetry.ts";
import { transactionModes } from "./transaction.ts";

/** How {@link withTransaction} reruns its work. */
export interface RetryOptions extends TransactionOptions {
  /** How often the work may run, from 1. Default 5. */
  readonly attempts?: number;
  /** Upper bound of the first back-off; it doubles with every attempt. Default 20 ms. */
  readonly baseDelayMs?: number;
  /** Upper bound of every back-off. Default 1000 ms. */
  readonly maxDelayMs?: number;
  /** Stops before the next attempt and during a back-off. It does not interrupt a statement. */
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly clock?: Clock;
  /** Draws the jitter. Default: this machine's. */
  readonly random?: Random;
}

/** What the work may know about its run. */
export interface TransactionRun {
  /** 1 for the first run, 2 for the first rerun. */
  readonly attempt: number;
}

/** The part of a {@link withTransaction} that reruns: statements, and no effect outside of the database. */
export type TransactionWork<T> = (transaction: SqlTransaction, run: TransactionRun) => Promise<T>;

/**
 * Runs `work` in a transaction, and all of it again when it met a conflict with another transaction: a serialization
 * failure (40001) or a deadlock (40P01), in a statement or at COMMIT. Every run starts with a fresh BEGIN, after the
 * ROLLBACK of the one before. The work must have no effects outside of the database, since it may run several times.
 *
 * Between runs it waits for a random time below an exponentially growing bound ("full jitter":
 * {@link https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ | Brooker, Exponential Backoff And
 * Jitter}), and holds no connection meanwhile.
 *
 * Any other error is thrown as it is, and so is the last conflict after `attempts` runs. A lost connection is never
 * a reason to run again, least of all during COMMIT.
 *
 * @throws `ERR_SLUICE_NESTED_USE` when `db` is a transaction: only whoever began it can rerun it.
 * @throws `ERR_SLUICE_COMMIT_UNKNOWN`, `ERR_SLUICE_TRANSACTION_ABORTED` as {@link SqlDatabase.transaction} does.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { fromPg, withTransaction } from "@sluice/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
 * const sum = await withTransaction(
 *   fromPg(pool),
 *   async (tx) => (await tx.query<{ sum: number }>("select $1::int + 1 as sum", [41])).rows[0]?.sum,
 *   { isolation: "serializable" },
 * );
 * sum; // => 42
 * await pool.end();
 * ```
 */
export async function withTransaction<T>(
  db: SqlDatabase,
  work: TransactionWork<T>,
  options: RetryOptions = {},
): Promise<T> {
  const retry = checkedRetry(options);
  if (db.kind !== "database") throw new NestedUseError("Run the work on it, or give withTransaction the database.");
  const trace: TransactionTrace = { isolation: options.isolation, attempt: 0 };
  return transactionTraces.trace(trace, async () => {
    for (;;) {
      options.signal?.throwIfAborted();
      trace.attempt += 1;
      const { attempt } = trace;
      try {
        return await db.transaction((transaction) => work(transaction, { attempt }), options);
      } catch (error) {
        await backOff(error, attempt, retry);
      }
    }
  });
}

type Retry = Required<Omit<RetryOptions, "signal" | keyof TransactionOptions>> & { signal: AbortSignal | undefined };

function checkedRetry(options: RetryOptions): Retry {
  const { attempts = 5, baseDelayMs = 20, maxDelayMs = 1000, signal } = options;
  const { clock = systemClock, random = systemRandom } = options;
  transactionModes(options);
  if (!(Number.isSafeInteger(attempts) && attempts >= 1)) {
    throw new InvalidArgumentError("attempts", "a whole number from 1", attempts);
  }
  assertDelay("baseDelayMs", baseDelayMs);
  assertDelay("maxDelayMs", maxDelayMs);
  return { attempts, baseDelayMs, maxDelayMs, signal, clock, random };
}

function assertDelay(argument: string, delayMs: number): void {
  if (!(Number.isFinite(delayMs) && delayMs >= 0)) {
    throw new InvalidArgumentError(argument, "a finite number of milliseconds, at least 0", delayMs);
  }
}

async function backOff(error: unknown, attempt: number, retry: Retry): Promise<void> {
  if (sqlFailure(error) !== "serialization") throw error;
  const { attempts, baseDelayMs, maxDelayMs, clock, random, signal } = retry;
  if (attempt >= attempts) {
    postgresEvents.publish({ type: "transaction-gave-up", attempts: attempt, sqlState: sqlState(error) });
    throw error;
  }
  const delayMs = random.float() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  postgresEvents.publish({ type: "transaction-retried", attempt, sqlState: sqlState(error), delayMs });
  await sleep(clock, delayMs, signal);
}
