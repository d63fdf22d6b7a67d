import type { Sql } from "@sluice/postgres";

import { isoTime } from "../../paging/order.ts";
import type { NewSeller, Seller } from "./seller.ts";

/** The only place that writes sellers. */
export interface SellerRepository {
  /** Undefined where the user has a shop already. One round trip. */
  create(userId: string, shop: NewSeller): Promise<Seller | undefined>;
}

const create = `insert into sellers (id, user_id, name, location) values (gen_random_uuid(), $1::uuid, $2, $3)
  on conflict (user_id) do nothing returning id, name, location, ${isoTime("created_at")} as created_at`;

/** Sellers in PostgreSQL. */
export function sellerRepository(sql: Sql): SellerRepository {
  return {
    create: async (userId, { name, location }) => (await sql.query<Seller>(create, [userId, name, location])).rows[0],
  };
}
