import type { Sql } from "@sluice/postgres";

import type { Line } from "../reservation.ts";
import type { Decision, Wanted, WantedMovement } from "../store.ts";
import { plainBatch } from "./plain-batch.ts";
import { plainEnd } from "./plain-end.ts";
import { levelOf, levelsOf, movementOf, type LevelRow, type Routines } from "./routines.ts";
import { edgeOf, fingerprintOf, knownDecision, linesAs, msOf, type KnownRow } from "./statements.ts";

/** The decisions of the functions as statements of one transaction: lock, look, write. */
export function plainRoutines(schema: string): Routines {
  return {
    needTransaction: true,
    reserve: (sql, wanted) => reserve(sql, schema, wanted),
    reserveBatch: (sql, batch) => plainBatch(sql, schema, batch),
    end: (sql, wanted) => plainEnd(sql, schema, wanted),
    move: (sql, wanted) => move(sql, schema, wanted),
  };
}

interface Locked {
  readonly product: string;
  readonly available: number;
}

interface Looked {
  readonly known: KnownRow | null;
  /** The lines of the reservation to let go of, while that is open. */
  readonly held: readonly Line[] | null;
}

async function reserve(sql: Sql, schema: string, wanted: Wanted): Promise<Decision> {
  const products = wanted.lines.map(({ productId }) => productId);
  const { rows } = await sql.query<Locked>(
    `select product_id as product, (on_hand - reserved)::float8 as available from ${schema}.inventory
     where product_id = any ($1::text[] || array(select product_id from ${schema}.inventory_line where reservation_id = $2))
     order by product_id for update`,
    [products, wanted.replaces ?? null],
  );
  const { known, held } = await look(sql, schema, wanted);
  if (known) return knownDecision(known);
  const free = new Map(rows.map(({ product, available }) => [product, available]));
  // One whose products are not locked, since it came later, is let go of by nobody here.
  const given = held?.every(({ productId }) => free.has(productId)) ? held : [];
  for (const { productId, quantity } of given) free.set(productId, (free.get(productId) ?? 0) + quantity);
  const missing = wanted.lines.find(({ productId }) => !free.has(productId));
  if (missing) return { outcome: "unknown_product", productId: missing.productId };
  const short = wanted.lines.find(({ productId, quantity }) => (free.get(productId) ?? 0) < quantity);
  if (short) {
    const available = rows.find(({ product }) => product === short.productId)?.available ?? 0;
    return { outcome: "sold_out", productId: short.productId, available };
  }
  return write(sql, schema, { wanted: { ...wanted, replaces: given.length > 0 ? wanted.replaces : undefined }, given });
}

async function look(sql: Sql, schema: string, { id, lines, replaces }: Wanted): Promise<Looked> {
  const { rows } = await sql.query<Looked>(
    `select (
       select jsonb_build_object('same', r.fingerprint = ${fingerprintOf("$1", "$2")}, 'state', r.state,
         'overdue', r.expires_at <= ${schema}.sluice_now(), 'due', ${msOf("r.expires_at")})
       from ${schema}.inventory_reservation r where r.id = $3) as known, (
       select jsonb_agg(jsonb_build_object('productId', l.product_id, 'quantity', l.quantity))
       from ${schema}.inventory_line l join ${schema}.inventory_reservation o on o.id = l.reservation_id
       where o.id = $4 and o.state = 'open') as held`,
    [lines.map(({ productId }) => productId), lines.map(({ quantity }) => quantity), id, replaces ?? null],
  );
  return rows[0] ?? { known: null, held: null };
}

interface Write {
  readonly wanted: Wanted;
  readonly given: readonly Line[];
}

async function write(sql: Sql, schema: string, { wanted, given }: Write): Promise<Decision> {
  const changes = new Map(wanted.lines.map(({ productId, quantity }) => [productId, quantity]));
  for (const { productId, quantity } of given) changes.set(productId, (changes.get(productId) ?? 0) - quantity);
  const { id, lines, ttlMs, reference, replaces } = wanted;
  const { rows } = await sql.query<{ readonly due: number; readonly levels: readonly LevelRow[] }>(
    `with put as (
       insert into ${schema}.inventory_reservation (id, fingerprint, expires_at, reference)
       values ($3, ${fingerprintOf("$1", "$2")}, ${schema}.sluice_now() + $4 * interval '1 ms', $5)
       on conflict (id) do nothing returning id, expires_at
     ), lines as (
       insert into ${schema}.inventory_line select put.id, w.product, w.quantity from put, ${linesAs("w", "$1", "$2")}
     ), given as (
       update ${schema}.inventory_reservation
       set state = 'released', resolved_at = ${schema}.sluice_now(), reason = 'replaced'
       where id = $6 and state = 'open' and exists (select from put)
     ), written as (
       update ${schema}.inventory s
       set reserved = s.reserved + c.quantity, version = s.version + 1, updated_at = ${schema}.sluice_now()
       from ${linesAs("c", "$7", "$8")} where s.product_id = c.product and exists (select from put)
       returning s.product_id, s.on_hand - s.reserved as available, s.on_hand - s.reserved + c.quantity as before,
         s.low_at, s.version
     ), noted as (
       insert into ${schema}.inventory_outbox (kind, product_id, available, version)
       select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null
     )
     select ${msOf("put.expires_at")} as due, (
       select jsonb_agg(jsonb_build_object('product', product_id, 'available', available, 'version', version)) from written
     ) as levels from put`,
    [
      lines.map(({ productId }) => productId),
      lines.map(({ quantity }) => quantity),
      id,
      ttlMs,
      reference ?? null,
      replaces ?? null,
      [...changes.keys()],
      [...changes.values()],
    ],
  );
  const [row] = rows;
  // The same id for other products was locked by nobody until here.
  if (!row) return { outcome: "conflict" };
  return { outcome: "reserved", expiresAtMs: row.due, levels: levelsOf(row.levels) };
}

async function move(
  sql: Sql,
  schema: string,
  { productId, kind, delta, key }: WantedMovement,
): ReturnType<Routines["move"]> {
  if (kind === "restock") {
    await sql.query(`insert into ${schema}.inventory (product_id) values ($1) on conflict do nothing`, [productId]);
  }
  await sql.query(`select from ${schema}.inventory where product_id = $1 for update`, [productId]);
  const { rows } = await sql.query<LevelRow & { readonly outcome: string }>(
    `with known as (
       select product_id, delta from ${schema}.inventory_movement where dedupe = $2 || ':' || $4
       union all
       select product_id, delta from ${schema}.inventory_movement_archive where dedupe = $2 || ':' || $4 and kind <> 'sale'
       limit 1
     ), was as (
       select s.*, s.on_hand + $3 between s.reserved and 9007199254740991 as fits from ${schema}.inventory s
       where s.product_id = $1
     ), put as (
       insert into ${schema}.inventory_movement (product_id, kind, delta, dedupe)
       select $1, $2, $3, $2 || ':' || $4 from was where fits and not exists (select from known)
       on conflict (dedupe) do nothing returning delta
     ), written as (
       update ${schema}.inventory s
       set on_hand = s.on_hand + put.delta, version = s.version + 1, updated_at = ${schema}.sluice_now()
       from put where s.product_id = $1
       returning s.product_id, s.on_hand - s.reserved as available, s.on_hand - s.reserved - put.delta as before,
         s.low_at, s.version
     ), noted as (
       insert into ${schema}.inventory_outbox (kind, product_id, available, version)
       select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null
     )
     select was.product_id as product, coalesce(written.available, was.on_hand - was.reserved)::float8 as available,
       coalesce(written.version, was.version)::float8 as version,
       case when written.version is not null then 'applied'
            when known.delta = $3 and known.product_id = $1 then 'duplicate'
            when known.delta is not null or was.fits then 'conflict'
            else 'refused' end as outcome
     from was left join written on true left join known on true`,
    [productId, kind, delta, key],
  );
  const [row] = rows;
  return row ? movementOf(row.outcome, levelOf(row)) : { status: "unknown_product" };
}
