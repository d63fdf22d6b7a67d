import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { idParameters } from "../../http/parameters.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { bulkImportRoute, type ImportTarget } from "../catalog/index.ts";
import { newProduct, productChange, productRow, type ProductRow } from "./product-changes.ts";
import { product } from "./product.ts";
import type { ProductWriteRepository } from "./write-repository.ts";
import type { ProductWriteService } from "./write-service.ts";

const tags = ["products"];
const params = idParameters;
const one = { 200: success(product), ...errorAnswers };
const created = { 201: success(product), ...errorAnswers };
const removed = { 200: success(z.object({ id: z.uuid() })), ...errorAnswers };

/** What sellers, and administrators for them, do with products. */
export function productWriteRoutes(server: Server, service: ProductWriteService, { user, seller }: Guards): void {
  server.post(
    "/products",
    {
      onRequest: seller,
      schema: { tags, ...bearer, summary: "Add a product to one's shop", body: newProduct, response: created },
    },
    async (request, reply) => {
      const added = await service.create(principalOf(request), request.body);
      void reply.code(201).header("location", `${request.routeOptions.url}/${added.id}`);
      return ok(request.id, added);
    },
  );
  server.patch(
    "/products/:id",
    {
      onRequest: user,
      schema: { tags, ...bearer, summary: "Change a product", params, body: productChange, response: one },
    },
    async (request) => ok(request.id, await service.change(principalOf(request), request.params.id, request.body)),
  );
  server.delete(
    "/products/:id",
    { onRequest: user, schema: { tags, ...bearer, summary: "Archive a product", params, response: removed } },
    async (request) => {
      const { id } = request.params;
      await service.remove(principalOf(request), id);
      return ok(request.id, { id });
    },
  );
}

/** The bulk import of products. */
export function productImportRoute(server: Server, repository: ProductWriteRepository, { admin }: Guards): void {
  const target: ImportTarget<ProductRow> = { row: productRow, insert: (rows) => repository.insert(rows) };
  bulkImportRoute(server, { url: "/admin/products/bulk-import", tag: "admin", guard: admin, target });
}
