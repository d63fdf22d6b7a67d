import { guard } from "@sluice/fastify";
import type { HttpGuard } from "@sluice/http";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import type { Server } from "../../http/server.ts";
import { facetQuery } from "../products/index.ts";
import { categories, facets } from "./category.ts";
import type { CategoryService } from "./service.ts";

/** The routes of categories, and of facets with what answers them from the cache. */
export function categoryRoutes(server: Server, service: CategoryService, facetGuard: HttpGuard): void {
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
  server.get("/products/search/facets", { onRequest: guard(facetGuard), schema }, async ({ id, query }) =>
    ok(id, await service.facets(query)),
  );
}
