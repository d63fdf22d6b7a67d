import type { Sql } from "@sluice/postgres";

import type { Decision, Wanted } from "../store.ts";
import { levelsOf, type LevelRow } from "./routines.ts";
import { edgeOf, fingerprintOf, knownDecision, linesAs, msOf, type KnownRow } from "./statements.ts";

/**
 * One attempt without waiting for a lock before the decision: reads versions, and writes what is the same still. In the
 * caller's transaction it undoes by a savepoint what another has overtaken.
 */
export async function reserveUnlessChanged(sql: Sql, schema: string, wanted: Wanted): Promise<Decision | undefined> {
  const seen = await look(sql, schema, wanted);
  if (seen.decision) return seen.decision;
  await sql.script("savepoint sluice_inventory");
  const decision = await write(sql, schema, { wanted, changes: seen.changes });
  // Rolling back to it leaves the savepoint there.
  if (decision?.outcome !== "reserved") await sql.script("rollback to savepoint sluice_inventory");
  await sql.script("release savepoint sluice_inventory");
  return decision;
}

/** A product whose row is to change, and what else was read of it. */
interface Change {
  readonly product: string;
  /** Units wanted of it; 0 where some are only given back. */
  readonly wanted: number;
  /** Units of it that the reservation holds which is to be replaced. */
  readonly given: number;
  readonly available: number | null;
  /** `null`: there is no such product. */
  readonly version: string | null;
}

interface Seen {
  /** What needs no writing. */
  readonly decision: Decision | undefined;
  /** In the order of the products in the database. */
  readonly changes: readonly Change[];
}

async function look(sql: Sql, schema: string, wanted: Wanted): Promise<Seen> {
  const { rows } = await sql.query<Change & { readonly known: KnownRow | null }>(
    `with given as (
       select l.product_id as product, l.quantity from ${schema}.inventory_line l
       join ${schema}.inventory_reservation o on o.id = l.reservation_id where o.id = $4 and o.state = 'open'
     )
     select product, coalesce(w.quantity, 0)::float8 as wanted, coalesce(g.quantity, 0)::float8 as given,
       (s.on_hand - s.reserved)::float8 as available, s.version::text as version, (
       select jsonb_build_object('same', r.fingerprint = ${fingerprintOf("$1", "$2")}, 'state', r.state,
         'overdue', r.expires_at <= ${schema}.sluice_now(), 'due', ${msOf("r.expires_at")})
       from ${schema}.inventory_reservation r where r.id = $3) as known
     from ${linesAs("w", "$1", "$2")} full join given g using (product)
     left join ${schema}.inventory s on s.product_id = product
     order by product collate "C"`,
    [...linesOf(wanted), wanted.id, wanted.replaces ?? null],
  );
  const known = rows[0]?.known;
  return { decision: known ? knownDecision(known) : refusal(rows), changes: rows };
}

function refusal(changes: readonly Change[]): Decision | undefined {
  const unknown = changes.find(({ version }) => version === null);
  if (unknown) return { outcome: "unknown_product", productId: unknown.product };
  const short = changes.find(({ wanted, given, available }) => (available ?? 0) + given < wanted);
  return short && { outcome: "sold_out", productId: short.product, available: short.available ?? 0 };
}

interface Write {
  readonly wanted: Wanted;
  readonly changes: readonly Change[];
}

async function write(sql: Sql, schema: string, { wanted, changes }: Write): Promise<Decision | undefined> {
  const levels: LevelRow[] = [];
  for (const change of changes) {
    // One after the other: a single statement would lock them in any order.
    const { rows } = await sql.query<LevelRow>(
      `with written as (
         update ${schema}.inventory set reserved = reserved + $2, version = version + 1, updated_at = ${schema}.sluice_now()
         where product_id = $1 and version = $3 and on_hand - reserved >= $2
         returning product_id, on_hand - reserved as available, on_hand - reserved + $2 as before, low_at, version
       ), noted as (
         insert into ${schema}.inventory_outbox (kind, product_id, available, version)
         select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null
       )
       select product_id as product, available::float8, version::float8 from written`,
      [change.product, change.wanted - change.given, change.version],
    );
    const [row] = rows;
    if (!row) return undefined;
    levels.push(row);
  }
  // Whoever had ended the one to replace would have changed these versions.
  const replaces = changes.some(({ given }) => given > 0) ? wanted.replaces : undefined;
  return insert(sql, schema, { wanted: { ...wanted, replaces }, levels });
}

interface Inserted {
  readonly wanted: Wanted;
  readonly levels: readonly LevelRow[];
}

async function insert(sql: Sql, schema: string, { wanted, levels }: Inserted): Promise<Decision | undefined> {
  const { rows } = await sql.query<{ readonly due: number }>(
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
     )
     select ${msOf("expires_at")} as due from put`,
    [...linesOf(wanted), wanted.id, wanted.ttlMs, wanted.reference ?? null, wanted.replaces ?? null],
  );
  // Somebody else's attempt with this id came between: the next look finds it.
  const [row] = rows;
  return row && { outcome: "reserved", expiresAtMs: row.due, levels: levelsOf(levels) };
}

function linesOf({ lines }: Wanted): readonly [readonly string[], readonly number[]] {
  return [lines.map(({ productId }) => productId), lines.map(({ quantity }) => quantity)];
}
