import type { Sql } from "@sluice/postgres";

import type { EndDecision, WantedEnd } from "../store.ts";
import { levelsOf, type LevelRow } from "./routines.ts";
import { edgeOf } from "./statements.ts";

/** Ends reservations by plain statements: the locks, the write, and a look at what they are now. */
export async function plainEnd(sql: Sql, schema: string, wanted: WantedEnd): Promise<EndDecision> {
  const { ids, to, late, reason } = wanted;
  await sql.query(
    `select from ${schema}.inventory where product_id = any (array(
       select product_id from ${schema}.inventory_line where reservation_id = any ($1::uuid[])))
     order by product_id for update`,
    [ids],
  );
  if (to === "confirmed" && late === "reacquire") await reacquire(sql, schema, ids);
  const { hit, levels } = await write(sql, schema, [ids, to, late, reason ?? null]);
  const changed = new Set(hit);
  const states = await statesOf(sql, schema, ids);
  return {
    ends: ids.map((id) => ({ status: statusOf(states.get(id), to), changed: changed.has(id) })),
    levels: levelsOf(levels),
  };
}

type Status = EndDecision["ends"][number]["status"];

function statusOf(state: Status | "open" | undefined, to: WantedEnd["to"]): Status {
  if (state === undefined) return "missing";
  // What is open still was not to be ended: it is late to confirm, or too early to expire.
  if (state === "open") return to === "confirmed" ? "late" : "missing";
  return state;
}

async function statesOf(
  sql: Sql,
  schema: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Status | "open">> {
  const { rows } = await sql.query<{ readonly id: string; readonly state: Status | "open" }>(
    `select id::text as id, state from ${schema}.inventory_reservation where id = any ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}

interface WriteAnswer {
  readonly hit: readonly string[] | null;
  readonly levels: readonly LevelRow[] | null;
}

async function write(sql: Sql, schema: string, params: readonly unknown[]): Promise<WriteAnswer> {
  const { rows } = await sql.query<WriteAnswer>(
    `with ended as (
       update ${schema}.inventory_reservation
       set state = $2, resolved_at = ${schema}.sluice_now(), reason = $4
       where id = any ($1::uuid[]) and state = 'open' and case $2
         when 'confirmed' then $3 <> 'reject' or expires_at > ${schema}.sluice_now()
         when 'expired' then expires_at <= ${schema}.sluice_now()
         else true end
       returning id
     ), parts as (
       select l.* from ${schema}.inventory_line l join ended on ended.id = l.reservation_id
     ), written as (
       update ${schema}.inventory s set reserved = s.reserved - c.quantity,
         on_hand = s.on_hand - case $2 when 'confirmed' then c.quantity else 0 end, version = s.version + 1,
         updated_at = ${schema}.sluice_now()
       from (select product_id, sum(quantity)::bigint as quantity from parts group by product_id) c
       where s.product_id = c.product_id
       returning s.product_id, s.on_hand - s.reserved as available, s.low_at, s.version,
         s.on_hand - s.reserved - case $2 when 'confirmed' then 0 else c.quantity end as before
     ), sold as (
       insert into ${schema}.inventory_movement (product_id, kind, delta, dedupe)
       select product_id, 'sale', -quantity, 'sale:' || reservation_id || ':' || product_id from parts where $2 = 'confirmed'
     ), noted as (
       insert into ${schema}.inventory_outbox (kind, product_id, available, version)
       select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null
     )
     select (select jsonb_agg(id) from ended) as hit, (
       select jsonb_agg(jsonb_build_object('product', product_id, 'available', available, 'version', version))
       from written) as levels`,
    params,
  );
  return rows[0] ?? { hit: null, levels: null };
}

// One after the other: what the first takes, the second cannot have.
async function reacquire(sql: Sql, schema: string, ids: readonly string[]): Promise<void> {
  for (const id of ids.toSorted()) {
    await sql.query(
      `with opened as (
         update ${schema}.inventory_reservation set state = 'open', resolved_at = null
         where id = $1 and state = 'expired' and not exists (
           select from ${schema}.inventory_line l join ${schema}.inventory s using (product_id)
           where l.reservation_id = $1 and s.on_hand - s.reserved < l.quantity)
         returning id
       ), written as (
         update ${schema}.inventory s set reserved = s.reserved + l.quantity, version = s.version + 1,
           updated_at = ${schema}.sluice_now()
         from ${schema}.inventory_line l join opened on opened.id = l.reservation_id where s.product_id = l.product_id
         returning s.product_id, s.on_hand - s.reserved as available, s.on_hand - s.reserved + l.quantity as before,
           s.low_at, s.version
       )
       insert into ${schema}.inventory_outbox (kind, product_id, available, version)
       select ${edgeOf("written")}, product_id, available, version from written where ${edgeOf("written")} is not null`,
      [id],
    );
  }
}
