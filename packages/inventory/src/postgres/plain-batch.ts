import type { Sql } from "@sluice/postgres";

import type { Level } from "../reservation.ts";
import type { BatchDecision, Decision, WantedBatch, WantedUnits } from "../store.ts";
import { levelOf, type LevelRow } from "./routines.ts";
import { boundedWait, edgeOf, knownDecision, msOf, type KnownRow } from "./statements.ts";

/** Group commit by plain statements, in our own transaction: the lock, a look at the ids, one write for all that fits. */
export async function plainBatch(sql: Sql, schema: string, batch: WantedBatch): Promise<BatchDecision> {
  const { productId, requests } = batch;
  await sql.script(boundedWait);
  const { rows } = await sql.query<LevelRow>(
    `select product_id as product, (on_hand - reserved)::float8 as available, version::float8 from ${schema}.inventory
     where product_id = $1 for update`,
    [productId],
  );
  const [row] = rows;
  if (!row) return { decisions: requests.map(() => ({ outcome: "unknown_product", productId })), level: undefined };
  const decisions = new Map<string, Decision>();
  for (const { id, ...known } of await look(sql, schema, batch)) decisions.set(id, knownDecision(known));
  let level = levelOf(row);
  for (;;) {
    const granted = grant(requests, decisions, level.available);
    if (granted.length === 0) break;
    const written = await write(sql, schema, { ...batch, requests: granted });
    level = written.level ?? level;
    // What went to other products meanwhile leaves its units to the next ones.
    for (const { id } of granted) {
      const due = written.dues.get(id);
      decisions.set(
        id,
        due === undefined ? { outcome: "conflict" } : { outcome: "reserved", expiresAtMs: due, levels: [] },
      );
    }
  }
  const soldOut: Decision = { outcome: "sold_out", productId, available: level.available };
  return { decisions: requests.map(({ id }) => decisions.get(id) ?? soldOut), level };
}

/** First come, first served; whoever does not fit lets the others by. */
function grant(
  requests: readonly WantedUnits[],
  decided: ReadonlyMap<string, Decision>,
  available: number,
): readonly WantedUnits[] {
  let free = available;
  return requests.filter(({ id, quantity }) => {
    if (decided.has(id) || quantity > free) return false;
    free -= quantity;
    return true;
  });
}

// As two texts: cheaper to write than arrays.
function unitsOf(requests: readonly WantedUnits[]): readonly [string, string] {
  return [requests.map(({ id }) => id).join(","), requests.map(({ quantity }) => quantity).join(",")];
}

const units = `unnest(string_to_array($2, ',')::uuid[], string_to_array($3, ',')::bigint[]) as w (id, quantity)`;
const fingerprint = `sha256(convert_to(length($1) || ':' || $1 || '=' || w.quantity, 'UTF8'))`;

async function look(sql: Sql, schema: string, batch: WantedBatch): Promise<readonly (KnownRow & { id: string })[]> {
  const { rows } = await sql.query<KnownRow & { readonly id: string }>(
    `select r.id::text as id, r.fingerprint = ${fingerprint} as same, r.state,
       r.expires_at <= ${schema}.sluice_now() as overdue, ${msOf("r.expires_at")} as due
     from ${units} join ${schema}.inventory_reservation r on r.id = w.id`,
    [batch.productId, ...unitsOf(batch.requests)],
  );
  return rows;
}

interface Written {
  /** The deadlines of those that were written. */
  readonly dues: ReadonlyMap<string, number>;
  readonly level: Level | undefined;
}

async function write(sql: Sql, schema: string, { productId, ttlMs, requests }: WantedBatch): Promise<Written> {
  const { rows } = await sql.query<{
    readonly put: Readonly<Record<string, number>> | null;
    readonly level: LevelRow | null;
  }>(
    `with put as (
       insert into ${schema}.inventory_reservation (id, fingerprint, expires_at)
       select w.id, ${fingerprint}, ${schema}.sluice_now() + $4 * interval '1 ms' from ${units} order by w.id
       on conflict (id) do nothing returning id, expires_at
     ), lines as (
       insert into ${schema}.inventory_line select w.id, $1, w.quantity from ${units} join put using (id)
     ), written as (
       update ${schema}.inventory s set reserved = s.reserved + c.quantity, version = s.version + 1,
         updated_at = ${schema}.sluice_now()
       from (select sum(w.quantity)::bigint as quantity from ${units} join put using (id)) c
       where s.product_id = $1 and c.quantity is not null
       returning s.product_id, s.on_hand - s.reserved as available, s.on_hand - s.reserved + c.quantity as before,
         s.low_at, s.version
     ), noted as (
       insert into ${schema}.inventory_outbox (kind, product_id, available, version)
       select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null
     )
     select (select jsonb_object_agg(id, ${msOf("expires_at")}) from put) as put, (
       select jsonb_build_object('product', product_id, 'available', available, 'version', version) from written) as level`,
    [productId, ...unitsOf(requests), ttlMs],
  );
  const [row] = rows;
  return { dues: new Map(Object.entries(row?.put ?? {})), level: row?.level ? levelOf(row.level) : undefined };
}
