import { z } from "zod";

/** A category with what the last rollup counted in it. */
export const category = z.object({
  slug: z.string(),
  name: z.string(),
  product_count: z.int(),
  listing_count: z.int(),
});

/** What the categories route answers. */
export const categories = z.object({
  categories: z.array(category),
  counted_at: z.string().nullable().describe("When the counts were made; null before the first rollup"),
});

/** How the products of a search spread over categories and prices. */
export const facets = z.object({
  total: z.int(),
  categories: z.array(z.object({ slug: z.string(), name: z.string(), count: z.int() })),
  price_bands: z.array(
    z.object({ from_minor: z.int(), below_minor: z.int().nullable().describe("Exclusive"), count: z.int() }),
  ),
  approximate: z.boolean().describe("Whether more products match than were counted"),
  counted_at: z.string().nullable().describe("When a rollup counted them; null: just now, or never yet"),
});

/** A category with its counts. */
export type Category = z.output<typeof category>;

/** All categories. */
export type Categories = z.output<typeof categories>;

/** The facets of a search. */
export type Facets = z.output<typeof facets>;
