import type { SqlTransaction } from "@sluice/postgres";

import { notFound } from "../../http/failure.ts";
import type { Queue } from "../../infra/queue.ts";
import type { Item, OrderSource } from "./order.ts";

/** An order whose units are reserved in the same transaction, under the same id. */
export interface Placement {
  readonly id: string;
  readonly userId: string;
  /** Distinct products. */
  readonly items: readonly Item[];
}

/** What orders of one call have in common. */
export interface Placing {
  readonly source: OrderSource;
  /** How long their units are held. */
  readonly holdTtlMs: number;
  readonly queue: Pick<Queue, "enqueue">;
}

// One statement for all: the row lock of a hot product is held meanwhile.
const place = `with wanted as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[]) as w (order_id, user_id, product_id, quantity)
  ), priced as (
    select w.*, p.name, p.price_minor from wanted w join products p on p.id = w.product_id and p.status = 'active'
  ), placed as (
    insert into orders (id, user_id, source, total_minor, expires_at)
    select order_id, user_id, $5, sum(price_minor * quantity), sluice_now() + $6::float8 * interval '1 ms'
    from priced group by order_id, user_id order by order_id
  ), itemised as (
    insert into order_items (order_id, product_id, name, quantity, price_minor)
    select order_id, product_id, name, quantity, price_minor from priced returning 1
  )
  select count(*)::integer as items from itemised`;

/**
 * Writes orders at today's prices, and the jobs that confirm them, in the transaction that has reserved their units: all
 * of it is committed, or nothing. Two round trips, however many there are.
 *
 * @throws a 404 where a product is not for sale.
 */
export async function placeOrders(
  transaction: SqlTransaction,
  placements: readonly Placement[],
  { source, holdTtlMs, queue }: Placing,
): Promise<void> {
  const lines = placements.flatMap(({ id, userId, items }) => items.map((item) => ({ id, userId, ...item })));
  const columns = [
    lines.map(({ id }) => id),
    lines.map(({ userId }) => userId),
    lines.map(({ product_id: product }) => product),
    lines.map(({ quantity }) => quantity),
  ];
  const { rows } = await transaction.query<{ items: number }>(place, [...columns, source, holdTtlMs]);
  if (rows[0]?.items !== lines.length) throw notFound("Product");
  const jobs = placements.map(({ id }) => ({ order_id: id }));
  await queue.enqueue(transaction, "order_confirm", jobs);
}
