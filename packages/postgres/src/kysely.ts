import { CompiledQuery, type Kysely, type Transaction } from "kysely";

import { TransactionEndedError } from "./errors.ts";
import { assertOutside, holding } from "./session-scope.ts";
import type { Sql, SqlDatabase, SqlResult, SqlTransaction, TransactionOptions } from "./sql.ts";
import { openTransaction, transactionByDriver, transactionModes } from "./transaction.ts";

/**
 * A database over Kysely, or your Kysely transaction, so that a primitive can take part in it. Plugins are left out:
 * Sluice's SQL means what it says. On a dialect with one session, such as PGlite's, a call on the database from inside
 * its own transaction throws `ERR_SLUICE_NESTED_USE`, and a script may hold one statement only.
 */
export function fromKysely<Tables>(transaction: Transaction<Tables>): SqlTransaction;
export function fromKysely<Tables>(db: Kysely<Tables>): SqlDatabase;
export function fromKysely<Tables>(db: Kysely<Tables>): SqlDatabase | SqlTransaction {
  const plain = db.withoutPlugins();
  if (plain.isTransaction) return openTransaction(sessionOf(plain)).handle;
  const { adapter } = plain.getExecutor();
  const single = adapter.supportsMultipleConnections === false ? adapter : undefined;
  const enter = async <T>(use: (session: Sql) => Promise<T>): Promise<T> => {
    if (single) assertOutside(single);
    return use(sessionOf(plain));
  };
  return {
    kind: "database",
    query: (text, params) => enter((session) => session.query(text, params)),
    script: (text) => enter((session) => session.script(text)),
    async transaction<T>(work: (transaction: SqlTransaction) => Promise<T>, options: TransactionOptions = {}) {
      if (single) assertOutside(single);
      const modes = transactionModes(options);
      return transactionByDriver<Transaction<Tables>, T>(
        (body) =>
          plain.transaction().execute(async (raw) => {
            // Said in SQL, because not every dialect heeds what the builder is told.
            if (modes) await raw.executeQuery(CompiledQuery.raw(`set transaction ${modes}`));
            return single ? holding(single, () => body(raw)) : body(raw);
          }),
        sessionOf,
        work,
      );
    },
  };
}

function sessionOf<Tables>(raw: Kysely<Tables>): Sql {
  return {
    async query<Row>(text: string, params: readonly unknown[] = []): Promise<SqlResult<Row>> {
      try {
        const { rows, numAffectedRows = 0n } = await raw.executeQuery(CompiledQuery.raw(text, [...params]));
        return { rows: rows as Row[], rowCount: Math.max(rows.length, Number(numAffectedRows)) };
      } catch (error) {
        throw isEnded(error) ? new TransactionEndedError({ cause: error }) : error;
      }
    },
    async script(text) {
      await this.query(text);
    },
  };
}

function isEnded(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Transaction is already ");
}
