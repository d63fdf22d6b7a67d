import type { Sql } from "@sluice/postgres";

import type { ProductCard } from "./product.ts";
import { cardColumns, cardJoins } from "./repository.ts";

/** The cards of products by their ids, in any order. What is not for sale is left out. */
export type ProductCards = (ids: readonly string[]) => Promise<readonly ProductCard[]>;

const byIds = `select ${cardColumns} from products p ${cardJoins}
  where p.id = any($1::uuid[]) and p.status = 'active'`;

/** For what refers to products. One round trip, and none for no ids. */
export function productCards(sql: Sql): ProductCards {
  return async (ids) => (ids.length === 0 ? [] : (await sql.query<ProductCard>(byIds, [ids])).rows);
}
