import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { idParameters } from "../../http/parameters.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { bulkImportRoute, type ImportTarget } from "../catalog/index.ts";
import { inspection, listingChange, listingRow, newListing, ownListing, type ListingRow } from "./listing-changes.ts";
import type { ListingWriteRepository } from "./write-repository.ts";
import type { ListingWriteService } from "./write-service.ts";

const params = idParameters;
const one = { 200: success(ownListing), ...errorAnswers };
const created = { 201: success(ownListing), ...errorAnswers };
const removed = { 200: success(z.object({ id: z.uuid() })), ...errorAnswers };

/** What sellers do with their listings. */
export function listingWriteRoutes(server: Server, service: ListingWriteService, { user, seller }: Guards): void {
  const tags = ["listings"];
  server.post(
    "/listings",
    {
      onRequest: seller,
      schema: {
        tags,
        ...bearer,
        summary: "Offer something; it is public once approved",
        body: newListing,
        response: created,
      },
    },
    async (request, reply) => {
      const listing = await service.create(principalOf(request), request.body);
      void reply.code(201).header("location", `${request.routeOptions.url}/${listing.id}`);
      return ok(request.id, listing);
    },
  );
  server.patch(
    "/listings/:id",
    {
      onRequest: user,
      schema: { tags, ...bearer, summary: "Change a listing of one's own", params, body: listingChange, response: one },
    },
    async (request) => ok(request.id, await service.change(principalOf(request), request.params.id, request.body)),
  );
  server.delete(
    "/listings/:id",
    {
      onRequest: user,
      schema: { tags, ...bearer, summary: "Delete a listing of one's own", params, response: removed },
    },
    async (request) => {
      const { id } = request.params;
      await service.remove(principalOf(request), id);
      return ok(request.id, { id });
    },
  );
}

/** What administrators do with listings. */
export function listingAdminRoutes(server: Server, service: ListingWriteService, { admin }: Guards): void {
  const tags = ["admin"];
  server.post(
    "/admin/listings/:id/approve",
    { onRequest: admin, schema: { tags, ...bearer, summary: "Make a listing public", params, response: one } },
    async (request) => ok(request.id, await service.approve(request.params.id)),
  );
  server.post(
    "/admin/listings/:id/inspection",
    {
      onRequest: admin,
      schema: {
        tags,
        ...bearer,
        summary: "Ask for an inspection, or no longer",
        params,
        body: inspection,
        response: one,
      },
    },
    async (request) => ok(request.id, await service.inspect(request.params.id, request.body.inspection_flag)),
  );
}

/** The bulk import of listings. */
export function listingImportRoute(server: Server, repository: ListingWriteRepository, { admin }: Guards): void {
  const target: ImportTarget<ListingRow> = { row: listingRow, insert: (rows) => repository.insert(rows) };
  bulkImportRoute(server, { url: "/admin/listings/bulk-import", tag: "admin", guard: admin, target });
}
