import type pg from "pg";

/** One buyer by the book: a transaction of its own, which locks the row, looks, and writes stock and reservation. */
export async function naiveBuyer(pool: pg.Pool, productId: string): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows } = await client.query<{ free: string }>(
      "select on_hand - reserved as free from naive_stock where product_id = $1 for update",
      [productId],
    );
    const isLeft = Number(rows[0]?.free) >= 1;
    if (isLeft) {
      await client.query("update naive_stock set reserved = reserved + 1 where product_id = $1", [productId]);
      await client.query("insert into naive_reservation (id, product_id, quantity) values ($1, $2, 1)", [
        crypto.randomUUID(),
        productId,
      ]);
    }
    await client.query("commit");
    return isLeft;
  } finally {
    client.release();
  }
}

/** The best that one statement per buyer does: a conditional update and an insert. */
export async function statementBuyer(pool: pg.Pool, productId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with taken as (
       update naive_stock set reserved = reserved + 1 where product_id = $1 and on_hand - reserved >= 1 returning product_id
     ) insert into naive_reservation (id, product_id, quantity) select $2, product_id, 1 from taken`,
    [productId, crypto.randomUUID()],
  );
  return rowCount === 1;
}

/** The tables of both. */
export const naiveTables = `
  create table naive_stock (product_id text primary key, on_hand bigint not null, reserved bigint not null default 0)
    with (fillfactor = 50);
  create table naive_reservation (id uuid primary key, product_id text not null, quantity bigint not null);
  insert into naive_stock values ('hot', 1000000000)`;
