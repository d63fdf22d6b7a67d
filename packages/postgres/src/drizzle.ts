import { InvalidArgumentError } from "@sluice/core";

import { fromPg, fromPgTransaction, type PgClient, type PgPool } from "./pg.ts";
import { fromPglite, type PgliteDatabase, type PgliteSession } from "./pglite.ts";
import type { SqlDatabase, SqlTransaction } from "./sql.ts";

/** What Sluice uses of a Drizzle database on `node-postgres` or PGlite. */
export interface DrizzleDatabase {
  readonly $client: PgPool | PgClient | PgliteDatabase;
}

/** What Sluice uses of a Drizzle transaction on `node-postgres` or PGlite. */
export interface DrizzleTransaction {
  readonly _: { readonly session: object };
  rollback(): never;
}

/**
 * A database over Drizzle, or your Drizzle transaction, so that a primitive can take part in it. Works with
 * `drizzle-orm/node-postgres` and `drizzle-orm/pglite`, and sends its statements through the driver below them: as
 * {@link fromPg} and `fromPglite` do, past Drizzle's logger.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a handle on another driver.
 */
export function fromDrizzle(transaction: DrizzleTransaction): SqlTransaction;
export function fromDrizzle(db: DrizzleDatabase): SqlDatabase;
export function fromDrizzle(db: DrizzleDatabase | DrizzleTransaction): SqlDatabase | SqlTransaction {
  const isTransaction = "rollback" in db;
  const driver: unknown = isTransaction && "client" in db._.session ? db._.session.client : Reflect.get(db, "$client");
  if (isPglite(driver)) return isTransaction ? fromPglite(driver satisfies PgliteSession) : fromPglite(driver);
  if (isPg(driver)) return isTransaction ? fromPgTransaction(driver) : fromPg(driver);
  throw new InvalidArgumentError("db", "a Drizzle handle on node-postgres or PGlite", db);
}

function isPglite(driver: unknown): driver is PgliteDatabase {
  return typeof driver === "object" && driver !== null && "exec" in driver && "closed" in driver;
}

function isPg(driver: unknown): driver is PgClient {
  return typeof driver === "object" && driver !== null && "query" in driver && "removeListener" in driver;
}
