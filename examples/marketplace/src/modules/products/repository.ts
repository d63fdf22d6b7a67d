import type { Sql } from "@sluice/postgres";

import type { Page } from "../../http/envelope.ts";
import { createFilter, type Filter } from "../../paging/filter.ts";
import { byCreation, byPrice, isoTime } from "../../paging/order.ts";
import { readPage, type PageRequest } from "../../paging/read-page.ts";
import { readBest, readSimilar, type SearchRequest } from "../../paging/relevance.ts";
import type { Product, ProductCard } from "./product.ts";

/** Which products. Prices in minor units, both bounds included. */
export interface ProductFilter {
  readonly category?: string | undefined;
  readonly min_price?: number | undefined;
  readonly max_price?: number | undefined;
}

/** Which products, in what order. */
export interface ProductList extends ProductFilter, PageRequest {
  readonly sort: "created_at" | "price";
  readonly order: "asc" | "desc";
}

/** Which products match the words. */
export type ProductSearch = ProductFilter & SearchRequest;

/** The only place that reads products. */
export interface ProductRepository {
  list(list: ProductList): Promise<Page<ProductCard>>;
  search(search: ProductSearch): Promise<Page<ProductCard>>;
  /** Needs pg_trgm. */
  similar(search: ProductSearch): Promise<ProductCard[]>;
  byId(id: string): Promise<Product | undefined>;
}

const listed = {
  table: "products",
  alias: "p",
  columns: `p.id, p.name, c.slug as category, p.price_minor::float8 as price_minor, p.currency,
    ${isoTime("p.created_at")} as created_at`,
  joins: "join categories c on c.id = p.category_id",
};

/** What lists show of a product, of a table or an expression called `p`. */
export const cardColumns = listed.columns;
/** What {@link cardColumns} needs beside it. */
export const cardJoins = listed.joins;

/** All that one product shows, of a table or an expression called `p`. */
export const detailColumns = `${listed.columns}, p.description, p.version, ${isoTime("p.updated_at")} as updated_at,
    json_build_object('id', s.id, 'name', s.name) as seller`;
/** What {@link detailColumns} needs beside it. */
export const detailJoins = `${listed.joins} join sellers s on s.id = p.seller_id`;

const byId = `select ${detailColumns} from products p ${detailJoins}
  where p.id = $1::uuid and p.status = 'active'`;

/** Products in PostgreSQL. Every call is one round trip. */
export function productRepository(sql: Sql): ProductRepository {
  return {
    list({ sort, order: direction, ...request }) {
      const order = sort === "price" ? byPrice("p", direction) : byCreation("p", direction);
      return readPage(sql, { listed, order, filter: filterOf(request) }, request);
    },
    search: (request) => readBest(sql, { listed, filter: filterOf(request) }, request),
    similar: (request) => readSimilar(sql, { listed, filter: filterOf(request) }, request),
    byId: async (id) => (await sql.query<Product>(byId, [id])).rows[0],
  };
}

function filterOf({ category, min_price: lowest, max_price: highest }: ProductFilter): Filter {
  const filter = createFilter("p.status = 'active'");
  if (category !== undefined) {
    filter.add(`p.category_id = (select id from categories where slug = ${filter.param(category)})`);
  }
  if (lowest !== undefined) filter.add(`p.price_minor >= ${filter.param(lowest)}::bigint`);
  if (highest !== undefined) filter.add(`p.price_minor <= ${filter.param(highest)}::bigint`);
  return filter;
}
