import type { SqlTransaction } from "@sluice/postgres";

/** The SQLSTATE of a wait that `lock_timeout` has ended. */
export const lockNotAvailable = "55P03";

/** Runs work whose waits for locks end after `ms`, and gives the transaction its own limit back. Two round trips. */
export async function withLockTimeout<T>(tx: SqlTransaction, ms: number, work: () => Promise<T>): Promise<T> {
  // 0 would mean for ever.
  const limit = `${Math.max(1, Math.round(ms))}ms`;
  const { rows } = await tx.query<{ readonly before: string }>(
    "with was as materialized (select current_setting('lock_timeout') as before) select before, set_config('lock_timeout', $1, true) from was",
    [limit],
  );
  const result = await work();
  await tx.query("select set_config('lock_timeout', $1, true)", [rows[0]?.before ?? "0"]);
  return result;
}
