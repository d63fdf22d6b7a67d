import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { newSeller, seller } from "./seller.ts";
import type { SellerService } from "./service.ts";

/** The routes of sellers. */
export function sellerRoutes(server: Server, service: SellerService, { user }: Guards): void {
  const response = { 201: success(seller), ...errorAnswers };
  server.post(
    "/sellers",
    { onRequest: user, schema: { tags: ["sellers"], ...bearer, summary: "Open a shop", body: newSeller, response } },
    async (request, reply) => {
      void reply.code(201);
      return ok(request.id, await service.open(principalOf(request).userId, request.body));
    },
  );
}
