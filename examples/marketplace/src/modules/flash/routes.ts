import type { Clock } from "@sluice/core";
import { z } from "zod";

import { errorAnswers } from "../../http/envelope.ts";
import { bearer, principalOf, type Guard, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { idempotentHeaders, productId, quantity, type Accepted } from "../orders/index.ts";
import type { FlashPurchase } from "./lane.ts";

const purchase = z.strictObject({ product_id: productId, quantity: quantity.default(1) });

const queued = z.object({
  order_id: z.uuid(),
  status: z.literal("pending"),
  message: z.literal("Order queued! Processing in background."),
});

/** What the route goes by. */
export interface FlashRoutesOptions {
  readonly guards: Guards;
  readonly clock: Clock;
  /** Resolves when the purchase is committed. */
  readonly buy: (purchase: FlashPurchase) => Promise<Accepted>;
}

/** The route of flash sales. It answers when the order is committed, and nothing but the order has happened then. */
export function flashRoutes(server: Server, { guards, clock, buy }: FlashRoutesOptions): void {
  const parsedMs = new WeakMap<object, number>();
  server.post(
    "/flash-buy",
    {
      onRequest: withToken(guards.user),
      preValidation: async (request) => void parsedMs.set(request, clock.monotonic()),
      // After the body has been checked: what is malformed costs no question to the database.
      preHandler: guards.user,
      schema: {
        tags: ["flash"],
        ...bearer,
        summary: "Buy one product in a flash sale",
        headers: idempotentHeaders,
        body: purchase,
        response: { 202: queued, ...errorAnswers },
      },
    },
    async (request, reply) => {
      const { product_id: product, quantity: units } = request.body;
      const { userId } = principalOf(request);
      const key = request.headers["idempotency-key"];
      const { id, isRepeat } = await buy({ userId, productId: product, quantity: units, key });
      const acceptMs = (clock.monotonic() - (parsedMs.get(request) ?? 0)).toFixed(1);
      void reply.code(202).header("server-timing", `accept;dur=${acceptMs}`);
      void reply.header("location", `${request.routeOptions.url?.replace("flash-buy", "orders")}/${id}`);
      if (isRepeat) void reply.header("idempotent-replayed", "true");
      return { order_id: id, status: "pending" as const, message: "Order queued! Processing in background." as const };
    },
  );
}

/** Refuses who brings no token at all, before the body is read. */
function withToken(user: Guard): Guard {
  return async (request) => {
    if (request.headers.authorization === undefined) await user(request);
  };
}
