import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { category, words } from "../../http/parameters.ts";
import type { Server } from "../../http/server.ts";
import { categories, facets } from "./category.ts";
import type { CategoryService } from "./service.ts";

const facetQuery = z.object({ q: words.optional(), category });

/** The routes of categories and facets. */
export function categoryRoutes(server: Server, service: CategoryService): void {
  const all = { 200: success(categories), ...errorAnswers };
  server.get(
    "/categories",
    { schema: { tags: ["categories"], summary: "All categories and what is in them", response: all } },
    async ({ id }) => ok(id, await service.all()),
  );
  const schema = {
    tags: ["products"],
    summary: "How products spread over categories and prices",
    querystring: facetQuery,
    response: { 200: success(facets), ...errorAnswers },
  };
  server.get("/products/search/facets", { schema }, async ({ id, query }) => ok(id, await service.facets(query)));
}
