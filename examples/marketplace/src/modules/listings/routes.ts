import { guard } from "@sluice/fastify";

import { errorAnswers, ok, okPage, success, successPage } from "../../http/envelope.ts";
import { idParameters } from "../../http/parameters.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { xCache, type ListingCache } from "./listing-cache.ts";
import { listingSearchQuery, recommendedQuery } from "./listing-queries.ts";
import { listing, listingCard, markedListingCard } from "./listing.ts";
import type { ListingService } from "./service.ts";

const tags = ["listings"];

/** The routes of listings. */
export function listingRoutes(
  server: Server,
  service: ListingService,
  cache: Pick<ListingCache, "search" | "recommended" | "detail">,
): void {
  const cards = { 200: successPage(listingCard), ...errorAnswers };
  const querystring = listingSearchQuery;
  server.get(
    "/public/listings/search",
    {
      onRequest: guard(cache.search),
      schema: { tags, summary: "Approved listings, by words and facts", querystring, response: cards },
    },
    async ({ id, query }) => okPage(id, await service.search(query)),
  );
  server.get(
    "/public/listings/recommended",
    {
      onRequest: guard(cache.recommended),
      schema: {
        tags,
        summary: "Approved listings for anybody, fresh ones first; they age more slowly where more is bought",
        querystring: recommendedQuery,
        response: cards,
      },
    },
    async ({ id, query }) => okPage(id, await service.recommended(query)),
  );
  const response = { 200: success(listing), ...errorAnswers };
  server.get(
    "/listings/:id",
    {
      onRequest: guard(cache.detail),
      schema: { tags, summary: "One approved listing", params: idParameters, response },
    },
    async ({ id, params }) => ok(id, await service.byId(params.id)),
  );
}

/** What {@link ownSearchRoute} stands on. */
export interface OwnSearchOptions {
  readonly service: Pick<ListingService, "searchAs">;
  readonly cache: Pick<ListingCache, "ownSearch">;
  readonly guards: Guards;
}

/** The search of somebody who is logged in. */
export function ownSearchRoute(server: Server, { service, cache, guards: { user } }: OwnSearchOptions): void {
  const response = { 200: successPage(markedListingCard), ...errorAnswers };
  const summary = "Approved listings, with a mark on one's own";
  server.get(
    "/listings/search",
    { onRequest: user, schema: { tags, ...bearer, summary, querystring: listingSearchQuery, response } },
    async (request, reply) => {
      const principal = principalOf(request);
      const load = () => service.searchAs(principal, request.query);
      const { value, outcome } = await cache.ownSearch(principal, request.query, load);
      void reply.headers({ "cache-control": "private, no-store", "x-cache": xCache(outcome) });
      return okPage(request.id, value);
    },
  );
}
