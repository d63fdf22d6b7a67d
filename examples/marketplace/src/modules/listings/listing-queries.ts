import { z } from "zod";

import { category, choice, cursor, limit, prices, textParameter, words } from "../../http/parameters.ts";

const facts = {
  category,
  location: textParameter(64).optional().describe("A city, in any case of letters"),
  ...prices,
};

/** What a search for listings takes. */
export const listingSearchQuery = z.object({
  q: words.optional(),
  ...facts,
  sort: choice("newest", "oldest", "price_asc", "price_desc", "relevance")
    .optional()
    .describe("Default: relevance with q, newest without"),
  limit,
  cursor,
});

/** What recommendations take. */
export const recommendedQuery = z.object({ ...facts, limit, cursor });

/** Recommendations that were asked for, with their defaults. */
export type RecommendedQuery = z.output<typeof recommendedQuery>;

/** A search that was asked for. */
export type ListingSearchQuery = z.output<typeof listingSearchQuery>;

/** A search with its defaults spelled, so that both spellings are one. */
export function spelledOut({ sort, ...query }: ListingSearchQuery) {
  return { ...query, sort: sort ?? (query.q === undefined ? "newest" : "relevance") } as const;
}
