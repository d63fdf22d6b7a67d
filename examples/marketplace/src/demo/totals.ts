import type { Sql } from "@sluice/postgres";

import { buyersPattern } from "./people.ts";

/** What a sale came to, as PostgreSQL has it. */
export interface Totals {
  readonly sold: number;
  /** Buyers without an order. */
  readonly refused: number;
  /** Units that were sold and never were there. */
  readonly oversold: number;
  /** Orders that were accepted and are not there. */
  readonly lost: number;
  /** Of the orders, those that are paid for by now. */
  readonly confirmed: number;
  /** Rows of the view that is empty while the books are in order. */
  readonly violations: number;
}

/** What to look for. */
export interface TotalsQuestion {
  readonly productId: string;
  readonly units: number;
  /** Orders that buyers were told about. */
  readonly orderIds: readonly string[];
}

const ours = `with ordered as (
    select o.id, o.user_id, o.status, i.quantity from orders o join order_items i on i.order_id = o.id
    where i.product_id::text = $1 and o.status not in ('cancelled', 'expired', 'refunded')
  )
  select coalesce(sum(quantity), 0)::integer as sold,
    (select count(*)::integer from users u where u.email like '${buyersPattern}'
      and not exists (select from ordered o where o.user_id = u.id)) as refused,
    greatest(coalesce(sum(quantity), 0) - $2, 0)::integer as oversold,
    (select count(*)::integer from unnest($3::uuid[]) as told (id)
      where not exists (select from ordered o where o.id = told.id)) as lost,
    (count(*) filter (where status <> 'pending'))::integer as confirmed,
    (select count(*)::integer from inventory_violations) as violations
  from ordered`;

/** The marketplace's totals. */
export async function readTotals(sql: Sql, { productId, units, orderIds }: TotalsQuestion): Promise<Totals> {
  const { rows } = await sql.query<Totals>(ours, [productId, units, orderIds]);
  if (rows[0] === undefined) throw new Error("There are no totals");
  return rows[0];
}

const naive = `select count(*)::integer as sold, greatest($3 - count(*), 0)::integer as refused,
    greatest(count(*) - $2, 0)::integer as oversold,
    (select count(*)::integer from unnest($4::uuid[]) as told (id)
      where not exists (select from naive.orders o where o.id = told.id)) as lost,
    count(*)::integer as confirmed, 0 as violations
  from naive.orders where product_id = $1`;

/** The naive sale's totals. It has no buyers, only orders: whoever has none was refused. */
export async function readNaiveTotals(
  sql: Sql,
  { productId, units, orderIds, buyers }: TotalsQuestion & { readonly buyers: number },
): Promise<Totals> {
  const { rows } = await sql.query<Totals>(naive, [productId, units, buyers, orderIds]);
  if (rows[0] === undefined) throw new Error("There are no totals");
  return rows[0];
}
