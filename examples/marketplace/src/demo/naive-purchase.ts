import { sleep, type Clock } from "@sluice/core";
import type pg from "pg";

/** What a naive sale runs on. */
export interface NaiveOptions {
  readonly pool: Pick<pg.Pool, "query">;
  readonly clock: Clock;
  /** How long a payment takes. */
  readonly paymentMs: number;
}

/** The tables of a naive sale, and its stock. */
export const naiveTables = `create schema naive;
  create table naive.stock (product_id text primary key, units integer not null);
  create table naive.orders (id uuid primary key default gen_random_uuid(), product_id text not null)`;

/**
 * Sells a unit the way that oversells: whoever looks before the others have taken theirs sees what is long gone.
 *
 * @returns the order's id, undefined when nothing is left.
 */
export function naivePurchase({
  pool,
  clock,
  paymentMs,
}: NaiveOptions): (productId: string) => Promise<string | undefined> {
  return async (productId) => {
    const stock = await pool.query<{ units: number }>("select units from naive.stock where product_id = $1", [
      productId,
    ]);
    if ((stock.rows[0]?.units ?? 0) < 1) return undefined;
    await pool.query("update naive.stock set units = units - 1 where product_id = $1", [productId]);
    const order = await pool.query<{ id: string }>("insert into naive.orders (product_id) values ($1) returning id", [
      productId,
    ]);
    await sleep(clock, paymentMs);
    return order.rows[0]?.id;
  };
}
