import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { idParameters } from "../../http/parameters.ts";
import { bearer, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import type { StockService } from "./service.ts";
import { adjustment, restock, stockLevel, stockMoved, threshold } from "./stock.ts";

const tags = ["stock"];
const params = idParameters;
const moved = { 200: success(stockMoved), ...errorAnswers };
const lowAt = { 200: success(z.object({ product_id: z.uuid(), low_at: z.int() })), ...errorAnswers };

/** The routes of stock: what is left, for everybody; what comes and goes, for administrators. */
export function stockRoutes(server: Server, service: StockService, { admin }: Guards): void {
  server.get(
    "/products/:id/stock",
    {
      schema: {
        tags,
        summary: "How many of a product can be had",
        params,
        response: { 200: success(stockLevel), ...errorAnswers },
      },
    },
    async ({ id, params: { id: product } }) => ok(id, await service.level(product)),
  );
  server.post(
    "/admin/products/:id/restock",
    {
      onRequest: admin,
      schema: { tags, ...bearer, summary: "A delivery, once per key", params, body: restock, response: moved },
    },
    async ({ id, params: { id: product }, body }) => ok(id, await service.restock(product, body)),
  );
  server.post(
    "/admin/products/:id/adjust-stock",
    {
      onRequest: admin,
      schema: {
        tags,
        ...bearer,
        summary: "What a count has found, once per key",
        params,
        body: adjustment,
        response: moved,
      },
    },
    async ({ id, params: { id: product }, body }) => ok(id, await service.adjust(product, body)),
  );
  server.put(
    "/admin/products/:id/low-stock-threshold",
    {
      onRequest: admin,
      schema: { tags, ...bearer, summary: "When a product is low", params, body: threshold, response: lowAt },
    },
    async ({ id, params: { id: product }, body }) => ok(id, await service.setLowAt(product, body.low_at)),
  );
}
