import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { cart, cartContents, cartLine, lineChange, lineParameters } from "./cart.ts";
import type { CartService } from "./service.ts";

const shared = { tags: ["carts"], ...bearer, response: { 200: success(cart), ...errorAnswers } };

/** One's own cart: nobody can name another's. */
export function cartRoutes(server: Server, service: CartService, { user }: Guards): void {
  server.get("/cart", { onRequest: user, schema: { ...shared, summary: "One's cart" } }, async (request) =>
    ok(request.id, await service.read(principalOf(request).userId)),
  );
  server.put(
    "/cart",
    { onRequest: user, schema: { ...shared, summary: "Set all of one's cart", body: cartContents } },
    async (request) => {
      const lines = new Map(request.body.items.map((item) => [item.product_id, item.quantity]));
      return ok(request.id, await service.set(principalOf(request).userId, { lines, anew: true }));
    },
  );
  server.delete("/cart", { onRequest: user, schema: { ...shared, summary: "Empty one's cart" } }, async (request) =>
    ok(request.id, await service.empty(principalOf(request).userId)),
  );
  lineRoutes(server, service, { user });
}

function lineRoutes(server: Server, service: CartService, { user }: Pick<Guards, "user">): void {
  const params = lineParameters;
  const response = { 200: success(cartLine), ...errorAnswers };
  server.get(
    "/cart/items/:product_id",
    { onRequest: user, schema: { ...shared, summary: "How many of a product are in one's cart", params, response } },
    async (request) => ok(request.id, await service.line(principalOf(request).userId, request.params.product_id)),
  );
  server.put(
    "/cart/items/:product_id",
    { onRequest: user, schema: { ...shared, summary: "Set how many of a product", params, body: lineChange } },
    async (request) => {
      const lines = new Map([[request.params.product_id, request.body.quantity]]);
      return ok(request.id, await service.set(principalOf(request).userId, { lines, anew: false }));
    },
  );
  server.delete(
    "/cart/items/:product_id",
    { onRequest: user, schema: { ...shared, summary: "Take a product out of one's cart", params } },
    async (request) => ok(request.id, await service.remove(principalOf(request).userId, request.params.product_id)),
  );
}
