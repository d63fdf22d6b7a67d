import { sqlFailure, sqlState, withTransaction, type Sql, type SqlDatabase } from "@sluice/postgres";

import { InventoryUnavailableError, InventoryUnknownError } from "../errors.ts";

/** A transaction that nobody but us knows of. */
export interface OwnTransaction<T> {
  /** What it is about, for the error that its outcome is unknown. */
  readonly ids: readonly string[];
  readonly needsTransaction: boolean;
  readonly work: (sql: Sql) => Promise<T>;
}

/**
 * Runs work as one statement or in a transaction, again after a conflict, and says of a failure whether anything can have
 * been done.
 *
 * @throws `ERR_SLUICE_INVENTORY_UNAVAILABLE`, `ERR_SLUICE_INVENTORY_UNKNOWN`
 */
export async function inOwnTransaction<T>(db: SqlDatabase, own: OwnTransaction<T>): Promise<T> {
  const { ids, needsTransaction, work } = own;
  try {
    if (needsTransaction) return await withTransaction(db, work, { isolation: "read committed" });
    return await alone(db, own);
  } catch (error) {
    throw translated(error, { ids, isCommittedByItself: !needsTransaction });
  }
}

// A statement by itself saves two round trips. It meets a conflict only where somebody mixes the order of the locks.
async function alone<T>(db: SqlDatabase, { work }: OwnTransaction<T>): Promise<T> {
  try {
    return await work(db);
  } catch (error) {
    if (sqlFailure(error) !== "serialization") throw error;
    return withTransaction(db, work, { isolation: "read committed" });
  }
}

interface Circumstances {
  readonly ids: readonly string[];
  /** Whether the server commits without being told to. */
  readonly isCommittedByItself: boolean;
}

function translated(error: unknown, { ids, isCommittedByItself }: Circumstances): unknown {
  const failure = sqlFailure(error);
  if (failure === "commit-unknown") return new InventoryUnknownError(ids, { cause: error });
  if (!isCommittedByItself && (failure === "other" || failure === "constraint")) return error;
  if (isRefusal(error)) return error;
  if (!isCommittedByItself || isCertain(error)) return new InventoryUnavailableError({ cause: error });
  return new InventoryUnknownError(ids, { cause: error });
}

const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN"]);
const neverSent = /^(timeout exceeded when trying to connect|Cannot use a pool after calling end)/;
// Too many connections, and a server that starts or stops: it said so instead of taking the statement.
const neverTaken = new Set(["53300", "57P03"]);

/** Whether a statement that failed by itself has certainly not been applied. */
function isCertain(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return neverTaken.has(state) || sqlFailure(error) !== "unavailable";
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return neverConnected.has(code) || code === "ERR_SLUICE_POSTGRES_UNAVAILABLE" || neverSent.test(error.message);
}

/** Whether the server refused the statement itself, which will not change: a table that is missing, for one. */
export function isRefusal(error: unknown): boolean {
  const failure = sqlFailure(error);
  return (failure === "other" || failure === "constraint") && sqlState(error) !== undefined;
}
