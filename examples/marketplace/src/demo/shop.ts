import type { Sql } from "@sluice/postgres";

const insert = `insert into products (id, seller_id, category_id, name, description, price_minor)
  select gen_random_uuid(), s.id, c.id, 'Talking drum', 'While they last.', 2500000
  from (select id from sellers order by id limit 1) s, (select id from categories order by id limit 1) c returning id`;

/** Puts a product on sale that nobody has heard of. @returns its id. */
export async function makeProduct(sql: Sql): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(insert);
  if (rows[0] === undefined) throw new Error("There is no seller to sell it");
  return rows[0].id;
}

/** Fills the shelves through the marketplace's own route. */
export async function restock(url: string, token: string, want: { productId: string; units: number }): Promise<void> {
  const reply = await fetch(`${url}/api/admin/products/${want.productId}/restock`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ quantity: want.units, key: `flash sale of ${want.productId}` }),
  });
  if (!reply.ok) throw new Error(`Restocking was answered with ${reply.status}: ${await reply.text()}`);
  await reply.body?.cancel();
}
