import type { Sql } from "@sluice/postgres";

import type { Page } from "../../http/envelope.ts";
import { createFilter, type Filter } from "../../paging/filter.ts";
import { byCreation, byPrice, isoTime, type Order } from "../../paging/order.ts";
import { readPage, type Listed, type PageRequest } from "../../paging/read-page.ts";
import { matches, readBest, readSimilar, type Searched, type SearchRequest } from "../../paging/relevance.ts";
import type { Listing, ListingCard, MarkedListingCard } from "./listing.ts";
import { readRecommended } from "./recommended.ts";

/** Which listings. Prices in minor units, both bounds included; a location in any case of letters. */
export interface ListingFilter {
  readonly category?: string | undefined;
  readonly location?: string | undefined;
  readonly min_price?: number | undefined;
  readonly max_price?: number | undefined;
}

/** The orders that a column gives. */
export type ColumnSort = "newest" | "oldest" | "price_asc" | "price_desc";

/** Which listings, in what order. */
export interface ListingList extends ListingFilter, PageRequest {
  readonly sort: ColumnSort;
  /** Only those that match the words. */
  readonly q?: string | undefined;
}

/** Which listings match the words. */
export type ListingSearch = ListingFilter & SearchRequest;

/** Lists of listings. Every call is one round trip. */
export interface ListingLists<Card> {
  list(list: ListingList): Promise<Page<Card>>;
  search(search: ListingSearch): Promise<Page<Card>>;
  /** Needs pg_trgm. */
  similar(search: ListingSearch): Promise<Card[]>;
}

/** The only place that reads listings. What is not approved does not exist for it. */
export interface ListingRepository extends ListingLists<ListingCard> {
  /** The same lists, with a mark on what a shop sells. */
  markedFor(sellerId: string | null): ListingLists<MarkedListingCard>;
  /** What to show somebody whom nobody knows. What an inspection has been asked for is left out. Two round trips. */
  recommended(request: ListingFilter & PageRequest): Promise<Page<ListingCard>>;
  byId(id: string): Promise<Listing | undefined>;
}

const listed = {
  table: "listings",
  alias: "l",
  columns: `l.id, l.name, c.slug as category, l.location, l.price_minor::float8 as price_minor, l.currency,
    ${isoTime("l.created_at")} as created_at`,
  joins: "join categories c on c.id = l.category_id",
};

/** All that one listing shows, of a table or an expression called `l`. */
export const detailColumns = `${listed.columns}, l.description, l.inspection_flag, l.version,
    ${isoTime("l.updated_at")} as updated_at, json_build_object('id', s.id, 'name', s.name) as seller`;
/** What {@link detailColumns} needs beside it. */
export const detailJoins = `${listed.joins} join sellers s on s.id = l.seller_id`;

const byId = `select ${detailColumns} from listings l ${detailJoins}
  where l.id = $1::uuid and l.status = 'approved'`;

const orders: Readonly<Record<ColumnSort, Order>> = {
  newest: byCreation("l", "desc"),
  oldest: byCreation("l", "asc"),
  price_asc: byPrice("l", "asc"),
  price_desc: byPrice("l", "desc"),
};

/** Listings in PostgreSQL. */
export function listingRepository(sql: Sql): ListingRepository {
  return {
    ...lists<ListingCard>(sql, () => listed),
    markedFor: (sellerId) =>
      lists<MarkedListingCard>(sql, (filter) => ({
        ...listed,
        columns: `${listed.columns}, coalesce(l.seller_id = ${filter.param(sellerId)}::uuid, false) as mine`,
      })),
    recommended({ category, ...request }) {
      const filter = filterOf(request);
      filter.add("not l.inspection_flag");
      return readRecommended(sql, { listed, filter, category }, request);
    },
    byId: async (id) => (await sql.query<Listing>(byId, [id])).rows[0],
  };
}

function lists<Card>(sql: Sql, listedOf: (filter: Filter) => Listed): ListingLists<Card> {
  const searched = (request: ListingFilter): Searched => {
    const filter = filterOf(request);
    return { listed: listedOf(filter), filter };
  };
  return {
    list({ sort, q, ...request }) {
      const { listed: shown, filter } = searched(request);
      if (q !== undefined) filter.add(matches("l", filter.param(q)));
      return readPage(sql, { listed: shown, order: orders[sort], filter }, request);
    },
    search: (request) => readBest(sql, searched(request), request),
    similar: (request) => readSimilar(sql, searched(request), request),
  };
}

function filterOf({ category, location, min_price: lowest, max_price: highest }: ListingFilter): Filter {
  const filter = createFilter("l.status = 'approved'");
  if (category !== undefined) {
    filter.add(`l.category_id = (select id from categories where slug = ${filter.param(category)})`);
  }
  if (location !== undefined) filter.add(`lower(l.location) = lower(${filter.param(location)})`);
  if (lowest !== undefined) filter.add(`l.price_minor >= ${filter.param(lowest)}::bigint`);
  if (highest !== undefined) filter.add(`l.price_minor <= ${filter.param(highest)}::bigint`);
  return filter;
}
