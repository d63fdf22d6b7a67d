import { z } from "zod";

import { errorAnswers, ok, okPage, success, successPage } from "../../http/envelope.ts";
import { category, choice, cursor, idParameters, limit, prices, words } from "../../http/parameters.ts";
import type { Server } from "../../http/server.ts";
import { product, productCard } from "./product.ts";
import type { ProductService } from "./service.ts";

const listQuery = z.object({
  category,
  sort: choice("created_at", "price").default("created_at"),
  order: choice("asc", "desc").default("desc"),
  ...prices,
  limit,
  cursor,
});
const searchQuery = z.object({ q: words, category, ...prices, limit, cursor });
const tags = ["products"];
const cards = { 200: successPage(productCard), ...errorAnswers };

/** The routes of products. */
export function productRoutes(server: Server, service: ProductService): void {
  server.get(
    "/products",
    { schema: { tags, summary: "Pages of products, newest first", querystring: listQuery, response: cards } },
    async ({ id, query }) => okPage(id, await service.list(query)),
  );
  server.get(
    "/products/search",
    { schema: { tags, summary: "Products by words, best match first", querystring: searchQuery, response: cards } },
    async ({ id, query }) => okPage(id, await service.search(query)),
  );
  const response = { 200: success(product), ...errorAnswers };
  server.get(
    "/products/:id",
    { schema: { tags, summary: "One product", params: idParameters, response } },
    async ({ id, params }) => ok(id, await service.byId(params.id)),
  );
}
