import { guard } from "@sluice/fastify";

import { isPersonal } from "../../cache/public-reply.ts";
import { errorAnswers, ok, okPage, success, successPage } from "../../http/envelope.ts";
import { idParameters } from "../../http/parameters.ts";
import type { Server } from "../../http/server.ts";
import type { ProductCache } from "./product-cache.ts";
import { productListQuery, productSearchQuery } from "./product-queries.ts";
import { product, productCard } from "./product.ts";
import type { ProductService } from "./service.ts";

const tags = ["products"];
const cards = { 200: successPage(productCard), ...errorAnswers };

/** The routes of products. */
export function productRoutes(
  server: Server,
  service: ProductService,
  cache: Pick<ProductCache, "list" | "search" | "detail">,
): void {
  server.get(
    "/products",
    {
      onRequest: guard(cache.list),
      schema: { tags, summary: "Pages of products, newest first", querystring: productListQuery, response: cards },
    },
    async ({ id, query }) => okPage(id, await service.list(query)),
  );
  server.get(
    "/products/search",
    {
      onRequest: guard(cache.search),
      schema: {
        tags,
        summary: "Products by words, best match first",
        querystring: productSearchQuery,
        response: cards,
      },
    },
    async ({ id, query }) => okPage(id, await service.search(query)),
  );
  const response = { 200: success(product), ...errorAnswers };
  server.get(
    "/products/:id",
    { onRequest: guard(cache.detail), schema: { tags, summary: "One product", params: idParameters, response } },
    // What is to be everybody's is loaded: made of another cached value, it would outlive that one's invalidation.
    async (request) => ok(request.id, await service.byId(request.params.id, { fresh: !isPersonal(request.headers) })),
  );
}
