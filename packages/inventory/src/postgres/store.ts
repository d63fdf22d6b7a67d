import { quoteIdentifier, withTransaction, type Sql, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";

import { InventoryUnavailableError } from "../errors.ts";
import type { Extension } from "../reservation.ts";
import type { BatchDecision, Decision, InventoryStore, Wanted, WantedBatch, WantedUnits } from "../store.ts";
import { functionRoutines } from "./functions.ts";
import { reserveUnlessChanged } from "./optimistic.ts";
import { inOwnTransaction, isRefusal } from "./own-transaction.ts";
import { plainRoutines } from "./plain.ts";
import { readsOf } from "./reads.ts";
import type { Routines } from "./routines.ts";
import { boundedWait } from "./statements.ts";
import { upkeepOf } from "./upkeep.ts";

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Where the migrations were applied. Default `sluice`. */
  readonly schema?: string;
  /**
   * Whether decisions are made by plain statements, for databases that allow no PL/pgSQL: the same result for three or
   * four round trips instead of one. Default `false`.
   */
  readonly plain?: boolean;
}

/** Stock in PostgreSQL. `tx` is a transaction of `@sluice/postgres`; join your own client's by `fromPgTransaction`. */
export type PostgresInventoryStore = InventoryStore<SqlTransaction>;

/**
 * Keeps stock in the tables of `inventoryMigrations`. All times are of `sluice_now()`, the database's clock.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a schema that is no identifier.
 */
export function postgresStore(
  db: SqlDatabase,
  { schema: name = "sluice", plain = false }: PostgresStoreOptions = {},
): PostgresInventoryStore {
  const schema = quoteIdentifier(name);
  const routines = plain ? plainRoutines(schema) : functionRoutines(schema);
  const { needTransaction } = routines;
  const upkeep = upkeepOf(schema);

  const own = <T>(ids: readonly string[], needsTransaction: boolean, work: (sql: Sql) => Promise<T>): Promise<T> =>
    inOwnTransaction(db, { ids, needsTransaction, work });
  const inTransaction: InTransaction = (work) => own([], true, (tx) => work(tx as SqlTransaction));

  return {
    transaction: (work) => withTransaction(db, work),
    reserve: (wanted, tx) =>
      tx ? routines.reserve(tx, wanted) : own([wanted.id], needTransaction, (sql) => routines.reserve(sql, wanted)),
    reserveWith: (wanted, onReserved) =>
      own([wanted.id], true, async (tx) => {
        const decision = await reserveSoon(tx, routines, wanted);
        if (decision.outcome === "reserved") await onReserved(tx as SqlTransaction);
        return decision;
      }),
    reserveUnlessChanged: (wanted, tx) =>
      tx
        ? reserveUnlessChanged(tx, schema, wanted)
        : own([wanted.id], true, (sql) => reserveUnlessChanged(sql, schema, wanted)),
    async reserveBatch(batch, onReserved) {
      const ids = batch.requests.map(({ id }) => id);
      if (!onReserved) return own(ids, needTransaction, (sql) => routines.reserveBatch(sql, batch));
      return own(ids, true, async (tx) => {
        const decided = await routines.reserveBatch(tx, batch);
        const reserved = reservedOf(batch, decided);
        if (reserved.length > 0) await onReserved(tx as SqlTransaction, reserved);
        return decided;
      });
    },
    end: (wanted, tx) =>
      tx ? routines.end(tx, wanted) : own(wanted.ids, needTransaction, (sql) => routines.end(sql, wanted)),
    expire: (limit) => inTransaction((tx) => expire(tx, { schema, limit, routines })),
    extend: (id, ms, tx) =>
      tx ? extend(tx, schema, [id, ms]) : own([id], false, (sql) => extend(sql, schema, [id, ms])),
    move: (wanted, tx) =>
      tx ? routines.move(tx, wanted) : own([wanted.key], needTransaction, (sql) => routines.move(sql, wanted)),
    setLowAt: (productId, lowAt, tx) =>
      tx
        ? setLowAt(tx, schema, [productId, lowAt])
        : inTransaction((ownTx) => setLowAt(ownTx, schema, [productId, lowAt])),
    ...reading(db, schema),
    checkpoint: (page) => inTransaction((tx) => upkeep.checkpoint(tx, page)),
    archive: (olderThanMs, limit) => inTransaction((tx) => upkeep.archive(tx, olderThanMs, limit)),
    purge: (olderThanMs, limit) => inTransaction((tx) => upkeep.purge(tx, olderThanMs, limit)),
    deliver: (limit, handle) =>
      inTransaction(async (tx) => {
        const events = await upkeep.takeEvents(tx, limit);
        if (events.length > 0) await handle(tx, events);
        return events.length;
      }),
  };
}

type InTransaction = <T>(work: (tx: SqlTransaction) => Promise<T>) => Promise<T>;

async function reserveSoon(sql: Sql, routines: Routines, wanted: Wanted): Promise<Decision> {
  await sql.script(boundedWait);
  return routines.reserve(sql, wanted);
}

function reservedOf({ requests }: WantedBatch, { decisions }: BatchDecision): readonly WantedUnits[] {
  return requests.filter((_, place) => decisions[place]?.outcome === "reserved");
}

type Reading = Pick<PostgresInventoryStore, "get" | "levels" | "page" | "lowStock" | "violations">;

function reading(db: SqlDatabase, schema: string): Reading {
  const reads = readsOf(schema);
  const read = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => asking(() => work(db));
  return {
    get: (id, tx) => (tx ? reads.get(tx, id) : read((sql) => reads.get(sql, id))),
    levels: (productIds) => read((sql) => reads.levels(sql, productIds)),
    page: (page) => read((sql) => reads.page(sql, page)),
    lowStock: (page) => read((sql) => reads.lowStock(sql, page)),
    violations: (limit) => read((sql) => reads.violations(sql, limit)),
  };
}

async function asking<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw isRefusal(error) ? error : new InventoryUnavailableError({ cause: error });
  }
}

interface Expiry {
  readonly schema: string;
  readonly limit: number;
  readonly routines: Routines;
}

// One process at a time: two would only wait for each other's rows.
async function expire(
  tx: SqlTransaction,
  { schema, limit, routines }: Expiry,
): ReturnType<InventoryStore<never>["expire"]> {
  const { rows } = await tx.query<{ readonly id: string }>(
    `select r.id::text as id from ${schema}.inventory_reservation r
     where (select pg_try_advisory_xact_lock(hashtextextended('sluice:inventory:reap:' || $2, 0)))
       and r.state = 'open' and r.expires_at <= ${schema}.sluice_now() order by r.expires_at limit $1`,
    [limit, schema],
  );
  if (rows.length === 0) return { ids: [], levels: [] };
  const ids = rows.map(({ id }) => id);
  const { ends, levels } = await routines.end(tx, { ids, to: "expired", late: "reject", reason: undefined });
  return { ids: ids.filter((_, place) => ends[place]?.changed), levels };
}

async function extend(sql: Sql, schema: string, [id, ms]: readonly [string, number]): Promise<Extension> {
  const { rows } = await sql.query<{ readonly state: string; readonly due: number; readonly extended: boolean }>(
    `with extended as (
       update ${schema}.inventory_reservation
       set expires_at = greatest(expires_at, ${schema}.sluice_now() + $2 * interval '1 ms')
       where id = $1 and state = 'open' and expires_at > ${schema}.sluice_now() returning id, state, expires_at
     )
     select state, (extract(epoch from expires_at) * 1000)::float8 as due, true as extended from extended
     union all
     select state, 0, false from ${schema}.inventory_reservation where id = $1 and not exists (select from extended)`,
    [id, ms],
  );
  const [row] = rows;
  if (!row) return { id, status: "missing" };
  if (row.extended) return { id, status: "extended", expiresAtMs: row.due };
  if (row.state === "confirmed" || row.state === "released" || row.state === "expired")
    return { id, status: row.state };
  return { id, status: "late" };
}

async function setLowAt(tx: SqlTransaction, schema: string, params: readonly [string, number]): Promise<boolean> {
  const locked = await tx.query(`select from ${schema}.inventory where product_id = $1 for update`, params.slice(0, 1));
  if (locked.rowCount === 0) return false;
  // Who raises the threshold above what is there has crossed it, too.
  await tx.query(
    `with was as (select product_id, low_at, on_hand - reserved as available from ${schema}.inventory where product_id = $1),
     written as (
       update ${schema}.inventory set low_at = $2, version = version + 1, updated_at = ${schema}.sluice_now()
       where product_id = $1 returning version
     )
     insert into ${schema}.inventory_outbox (kind, product_id, available, version)
     select 'low_stock', product_id, available, version from was, written where available > low_at and available <= $2`,
    params,
  );
  return true;
}
