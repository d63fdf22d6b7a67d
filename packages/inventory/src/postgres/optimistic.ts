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
  const decision = await write(sql, schema, { wanted, versions: seen.versions });
  // Rolling back to it leaves the savepoint there.
  if (decision?.outcome !== "reserved") await sql.script("rollback to savepoint sluice_inventory");
  await sql.script("release savepoint sluice_inventory");
  return decision;
}

interface Seen {
  /** What needs no writing. */
  readonly decision: Decision | undefined;
  readonly versions: readonly string[];
}

interface SeenRow {
  readonly product: string;
  readonly available: number | null;
  readonly version: string | null;
  readonly known: KnownRow | null;
}

async function look(sql: Sql, schema: string, wanted: Wanted): Promise<Seen> {
  const { rows } = await sql.query<SeenRow>(
    `select w.product, (s.on_hand - s.reserved)::float8 as available, s.version::text as version, (
       select jsonb_build_object('same', r.fingerprint = ${fingerprintOf("$1", "$2")}, 'state', r.state,
         'overdue', r.expires_at <= ${schema}.sluice_now(), 'due', ${msOf("r.expires_at")})
       from ${schema}.inventory_reservation r where r.id = $3) as known
     from ${linesAs("w", "$1", "$2")} left join ${schema}.inventory s on s.product_id = w.product
     order by w.product collate "C"`,
    [...linesOf(wanted), wanted.id],
  );
  const known = rows[0]?.known;
  const decision = known ? knownDecision(known) : refusal(rows, wanted);
  return { decision, versions: rows.map(({ version }) => version ?? "0") };
}

function refusal(rows: readonly SeenRow[], { lines }: Wanted): Decision | undefined {
  const quantities = new Map(lines.map(({ productId, quantity }) => [productId, quantity]));
  const unknown = rows.find(({ version }) => version === null);
  if (unknown) return { outcome: "unknown_product", productId: unknown.product };
  const short = rows.find(({ product, available }) => (available ?? 0) < (quantities.get(product) ?? 0));
  return short && { outcome: "sold_out", productId: short.product, available: short.available ?? 0 };
}

interface Write {
  readonly wanted: Wanted;
  /** In the order of the products in the database. */
  readonly versions: readonly string[];
}

async function write(sql: Sql, schema: string, { wanted, versions }: Write): Promise<Decision | undefined> {
  const levels: LevelRow[] = [];
  const ordered = await inOrder(sql, wanted);
  for (const [place, line] of ordered.entries()) {
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
      [line.productId, line.quantity, versions[place]],
    );
    const [row] = rows;
    if (!row) return undefined;
    levels.push(row);
  }
  return insert(sql, schema, { wanted, levels });
}

async function inOrder(sql: Sql, { lines }: Wanted): Promise<Wanted["lines"]> {
  if (lines.length === 1) return lines;
  const { rows } = await sql.query<{ readonly place: number }>(
    `select place::int - 1 as place from unnest($1::text[]) with ordinality as w (product, place) order by product collate "C"`,
    [lines.map(({ productId }) => productId)],
  );
  return rows.flatMap(({ place }) => lines[place] ?? []);
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
     )
     select ${msOf("expires_at")} as due from put`,
    [...linesOf(wanted), wanted.id, wanted.ttlMs, wanted.reference ?? null],
  );
  // Somebody else's attempt with this id came between: the next look finds it.
  const [row] = rows;
  return row && { outcome: "reserved", expiresAtMs: row.due, levels: levelsOf(levels) };
}

function linesOf({ lines }: Wanted): readonly [readonly string[], readonly number[]] {
  return [lines.map(({ productId }) => productId), lines.map(({ quantity }) => quantity)];
}
