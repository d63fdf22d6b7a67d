import type { Sql } from "@sluice/postgres";

/** What stock needs to know about products. */
export interface StockedProducts {
  /** Whether there is such a product, archived or not. */
  exists(id: string): Promise<boolean>;
  /** Whether it is for sale. */
  isForSale(id: string): Promise<boolean>;
}

const exists = "select exists (select from products where id = $1::uuid) as found";
const forSale = "select exists (select from products where id = $1::uuid and status = 'active') as found";

/** Products in PostgreSQL. Every call is one round trip. */
export function stockedProducts(sql: Sql): StockedProducts {
  const ask = async (text: string, id: string): Promise<boolean> =>
    (await sql.query<{ found: boolean }>(text, [id])).rows[0]?.found === true;
  return { exists: (id) => ask(exists, id), isForSale: (id) => ask(forSale, id) };
}
