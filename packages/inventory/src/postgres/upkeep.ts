import type { Sql, SqlTransaction } from "@sluice/postgres";

import type { Purged, StockEvent } from "../reservation.ts";
import type { PageOf } from "../store.ts";

/** Statements that keep the tables small. Each is safe to run twice. */
export function upkeepOf(schema: string) {
  return {
    checkpoint: (tx: SqlTransaction, page: PageOf) => checkpoint(tx, schema, page),
    archive: (sql: Sql, olderThanMs: number, limit: number) => archive(sql, schema, [olderThanMs, limit]),
    purge: (sql: Sql, olderThanMs: number, limit: number) => purge(sql, schema, [olderThanMs, limit]),
    takeEvents: (tx: SqlTransaction, limit: number) => takeEvents(tx, schema, limit),
  };
}

type AgeAndLimit = readonly [olderThanMs: number, limit: number];

// Movements are written under the lock of their product: once we have that, none with a smaller number is still to come.
// The sums are read by the next statement, which sees all who held the lock before.
async function checkpoint(tx: SqlTransaction, schema: string, { after, limit }: PageOf): Promise<string | undefined> {
  const { rows } = await tx.query<{ readonly product: string }>(
    `select product_id as product from ${schema}.inventory where product_id > $1 order by product_id limit $2 for update`,
    [after, limit],
  );
  await tx.query(
    `insert into ${schema}.inventory_checkpoint as c (product_id, seq, on_hand)
     select s.product_id, m.seq, s.on_hand from ${schema}.inventory s
     left join ${schema}.inventory_checkpoint k using (product_id)
     cross join lateral (
       select max(e.seq) as seq, coalesce(k.on_hand, 0) + sum(e.delta) as moved from ${schema}.inventory_movement e
       where (e.product_id, e.seq) > (s.product_id, coalesce(k.seq, 0))
         and (e.product_id, e.seq) <= (s.product_id, 9223372036854775807)
     ) m
     where s.product_id = any ($1::text[]) and m.moved = s.on_hand
     on conflict (product_id) do update set seq = excluded.seq, on_hand = excluded.on_hand, at = excluded.at`,
    [rows.map(({ product }) => product)],
  );
  return rows.length === limit ? rows.at(-1)?.product : undefined;
}

async function archive(sql: Sql, schema: string, params: AgeAndLimit): Promise<number> {
  const { rowCount } = await sql.query(
    `with old as (
       select e.seq from ${schema}.inventory_movement e join ${schema}.inventory_checkpoint c using (product_id)
       where e.seq <= c.seq and e.at < ${schema}.sluice_now() - $1 * interval '1 ms'
       order by e.seq limit $2 for update of e skip locked
     ), taken as (
       delete from ${schema}.inventory_movement e using old where e.seq = old.seq
       returning e.seq, e.product_id, e.kind, e.delta, e.dedupe, e.at
     )
     insert into ${schema}.inventory_movement_archive (seq, product_id, kind, delta, dedupe, at) select * from taken`,
    params,
  );
  return rowCount;
}

async function purge(sql: Sql, schema: string, params: AgeAndLimit): Promise<Purged> {
  const movements = await sql.query(
    `delete from ${schema}.inventory_movement_archive where seq in (
       select seq from ${schema}.inventory_movement_archive
       where at < ${schema}.sluice_now() - $1 * interval '1 ms' order by seq limit $2)`,
    params,
  );
  const reservations = await sql.query<{ readonly count: number }>(
    `with old as (
       select id from ${schema}.inventory_reservation
       where state <> 'open' and resolved_at < ${schema}.sluice_now() - $1 * interval '1 ms'
       order by resolved_at limit $2 for update skip locked
     ), gone as (
       delete from ${schema}.inventory_reservation r using old where r.id = old.id and r.state <> 'open' returning r.id
     ), lines as (
       delete from ${schema}.inventory_line l using gone where l.reservation_id = gone.id
     )
     select count(*)::int as count from gone`,
    params,
  );
  // One that is being delivered is left to whoever delivers it.
  const events = await sql.query(
    `delete from ${schema}.inventory_outbox where seq in (
       select seq from ${schema}.inventory_outbox
       where at < ${schema}.sluice_now() - $1 * interval '1 ms' order by seq limit $2 for update skip locked)`,
    params,
  );
  return {
    movements: movements.rowCount,
    reservations: reservations.rows[0]?.count ?? 0,
    events: events.rowCount,
  };
}

interface EventRow {
  readonly seq: number;
  readonly kind: StockEvent["kind"];
  readonly product: string;
  readonly available: number;
  readonly version: number;
}

async function takeEvents(tx: SqlTransaction, schema: string, limit: number): Promise<readonly StockEvent[]> {
  const { rows } = await tx.query<EventRow>(
    `with next as (
       select seq from ${schema}.inventory_outbox order by seq limit $1 for update skip locked
     ), taken as (
       delete from ${schema}.inventory_outbox o using next where o.seq = next.seq returning o.*
     )
     select seq::float8, kind, product_id as product, available::float8, version::float8 from taken order by seq`,
    [limit],
  );
  return rows.map(({ product: productId, ...event }) => ({ ...event, productId }));
}
