import { TransactionEndedError } from "./errors.ts";
import { assertOutside, holding } from "./session-scope.ts";
import type { Sql, SqlDatabase, SqlResult, SqlTransaction } from "./sql.ts";
import { openTransaction, transactionByDriver, transactionModes } from "./transaction.ts";

/** What Sluice uses of a transaction of PGlite, and of PGlite itself. */
export interface PgliteSession {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: unknown[]; readonly affectedRows?: number }>;
  exec(text: string): Promise<unknown>;
  readonly closed: boolean;
}

/** What Sluice uses of PGlite. */
export interface PgliteDatabase extends PgliteSession {
  transaction<T>(work: (transaction: PgliteSession) => Promise<T>): Promise<T>;
}

/**
 * A database over PGlite, or the transaction that PGlite has handed to you, so that a primitive can take part in it.
 *
 * PGlite is one session: transactions and statements take turns, and locks never wait. A call on the database from
 * inside its own transaction throws `ERR_SLUICE_NESTED_USE`, where PGlite would hang. Use it for development and
 * tests; no claim of Sluice about concurrency holds on it.
 */
export function fromPglite(db: PgliteDatabase): SqlDatabase;
export function fromPglite(transaction: PgliteSession): SqlTransaction;
export function fromPglite(db: PgliteDatabase | PgliteSession): SqlDatabase | SqlTransaction {
  if (!("transaction" in db)) {
    return openTransaction(sessionOf(db), () => {
      if (db.closed) throw new TransactionEndedError();
    }).handle;
  }
  const enter = async <T>(use: (session: Sql) => Promise<T>): Promise<T> => {
    assertOutside(db);
    return use(sessionOf(db));
  };
  return {
    kind: "database",
    query: (text, params) => enter((session) => session.query(text, params)),
    script: (text) => enter((session) => session.script(text)),
    async transaction(work, options = {}) {
      const modes = transactionModes(options);
      assertOutside(db);
      return transactionByDriver(
        (body) =>
          db.transaction(async (raw) => {
            if (modes) await raw.exec(`set transaction ${modes}`);
            return holding(db, () => body(raw));
          }),
        sessionOf,
        work,
      );
    },
  };
}

function sessionOf(raw: PgliteSession): Sql {
  return {
    async query<Row>(text: string, params?: readonly unknown[]): Promise<SqlResult<Row>> {
      const { rows, affectedRows = 0 } = await raw.query(text, params && [...params]);
      return { rows: rows as Row[], rowCount: Math.max(rows.length, affectedRows) };
    },
    async script(text) {
      await raw.exec(text);
    },
  };
}
