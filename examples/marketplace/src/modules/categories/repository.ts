import type { Sql } from "@sluice/postgres";

import { createFilter } from "../../paging/filter.ts";
import { isoTime } from "../../paging/order.ts";
import { matches } from "../../paging/relevance.ts";
import type { Category } from "./category.ts";
import { bandStartsMinor } from "./price-band.ts";

/** A category and when it was counted. */
export type CountedCategory = Category & { readonly counted_at: string | null };

/** How many products are in one band of one category. */
export interface BandCount {
  readonly slug: string;
  readonly name: string;
  readonly band: number;
  readonly count: number;
}

/** Which products to count. */
export interface FacetFilter {
  readonly q?: string | undefined;
  readonly category?: string | undefined;
}

/** The only place that reads and writes categories and their rollups. */
export interface CategoryRepository {
  all(): Promise<CountedCategory[]>;
  /** The bands of the last rollup. */
  bands(category: string | undefined): Promise<BandCount[]>;
  /** Counts the bands of the matches now, at most {@link mostCounted} of them. */
  matchingBands(filter: FacetFilter & { readonly q: string }): Promise<BandCount[]>;
  /** Counts everything anew. Safe to run twice, and beside itself. */
  rollUp(): Promise<void>;
}

/** The most matches that facets count. */
export const mostCounted = 10_000;

const bandOf = `width_bucket(p.price_minor, array[${bandStartsMinor.join(", ")}]::bigint[])`;

const all = `select c.slug, c.name, coalesce(r.product_count, 0) as product_count,
    coalesce(r.listing_count, 0) as listing_count, ${isoTime("r.computed_at")} as counted_at
  from categories c left join category_rollups r on r.category_id = c.id order by c.name, c.slug`;

const bands = `select c.slug, c.name, b.band, b.product_count as count
  from price_bands b join categories c on c.id = b.category_id where $1::text is null or c.slug = $1
  order by c.name, c.slug, b.band`;

// One statement sees one moment, so counts and bands agree. Two that run at once write the same rows in one order.
const rollUp = `with counted as (
    select p.category_id, ${bandOf} as band, count(*)::integer as product_count
    from products p where p.status = 'active' group by 1, 2
  ), banded as (
    insert into price_bands (category_id, band, product_count)
    select c.id, every.band, coalesce(n.product_count, 0)
    from categories c cross join generate_series(0, ${bandStartsMinor.length}) as every (band)
      left join counted n on n.category_id = c.id and n.band = every.band
    order by c.id, every.band
    on conflict (category_id, band) do update set product_count = excluded.product_count
  ), listed as (
    select category_id, count(*)::integer as listing_count from listings where status = 'approved' group by 1
  ), sold as (
    select p.category_id, sum(i.quantity)::bigint as units
    from orders o join order_items i on i.order_id = o.id join products p on p.id = i.product_id
    where o.status in ('confirmed', 'fulfilling', 'shipped', 'delivered')
      and o.created_at > (select sluice_now()) - interval '30 days'
    group by 1
  )
  insert into category_rollups (category_id, product_count, listing_count, units_sold, computed_at)
  select c.id, coalesce((select sum(product_count)::integer from counted n where n.category_id = c.id), 0),
    coalesce(l.listing_count, 0), coalesce(s.units, 0), sluice_now()
  from categories c left join listed l on l.category_id = c.id left join sold s on s.category_id = c.id order by c.id
  on conflict (category_id) do update set product_count = excluded.product_count,
    listing_count = excluded.listing_count, units_sold = excluded.units_sold, computed_at = excluded.computed_at`;

/** Categories in PostgreSQL. Every call is one round trip. */
export function categoryRepository(sql: Sql): CategoryRepository {
  return {
    all: async () => (await sql.query<CountedCategory>(all)).rows,
    bands: async (category) => (await sql.query<BandCount>(bands, [category ?? null])).rows,
    async matchingBands({ q, category }) {
      const filter = createFilter("p.status = 'active'");
      filter.add(matches("p", filter.param(q)));
      if (category !== undefined) {
        filter.add(`p.category_id = (select id from categories where slug = ${filter.param(category)})`);
      }
      const text = `with p as materialized (
          select p.category_id, p.price_minor from products p where ${filter.where()} limit ${mostCounted}
        )
        select c.slug, c.name, ${bandOf} as band, count(*)::integer as count
        from p join categories c on c.id = p.category_id group by 1, 2, 3 order by 2, 1, 3`;
      return (await sql.query<BandCount>(text, filter.params)).rows;
    },
    rollUp: async () => void (await sql.query(rollUp)),
  };
}
