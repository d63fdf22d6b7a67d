import { z } from "zod";

import { category, choice, cursor, limit, prices, words } from "../../http/parameters.ts";

/** What a list of products takes. */
export const productListQuery = z.object({
  category,
  sort: choice("created_at", "price").default("created_at"),
  order: choice("asc", "desc").default("desc"),
  ...prices,
  limit,
  cursor,
});

/** What a search for products takes. */
export const productSearchQuery = z.object({ q: words, category, ...prices, limit, cursor });

/** What facets take. */
export const facetQuery = z.object({ q: words.optional(), category });
