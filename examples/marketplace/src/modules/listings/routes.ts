import { z } from "zod";

import { errorAnswers, ok, okPage, success, successPage } from "../../http/envelope.ts";
import { category, choice, cursor, idParameters, limit, prices, textParameter, words } from "../../http/parameters.ts";
import type { Server } from "../../http/server.ts";
import { listing, listingCard } from "./listing.ts";
import type { ListingService } from "./service.ts";

const searchQuery = z.object({
  q: words.optional(),
  category,
  location: textParameter(64).optional().describe("A city, in any case of letters"),
  ...prices,
  sort: choice("newest", "oldest", "price_asc", "price_desc", "relevance")
    .optional()
    .describe("Default: relevance with q, newest without"),
  limit,
  cursor,
});
const tags = ["listings"];

/** The routes of listings. */
export function listingRoutes(server: Server, service: ListingService): void {
  const cards = { 200: successPage(listingCard), ...errorAnswers };
  server.get(
    "/public/listings/search",
    { schema: { tags, summary: "Approved listings, by words and facts", querystring: searchQuery, response: cards } },
    async ({ id, query }) => okPage(id, await service.search(query)),
  );
  const response = { 200: success(listing), ...errorAnswers };
  server.get(
    "/listings/:id",
    { schema: { tags, summary: "One approved listing", params: idParameters, response } },
    async ({ id, params }) => ok(id, await service.byId(params.id)),
  );
}
