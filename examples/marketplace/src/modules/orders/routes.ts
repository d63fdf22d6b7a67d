import { z } from "zod";

import { errorAnswers, ok, okPage, success, successPage } from "../../http/envelope.ts";
import { Failure } from "../../http/failure.ts";
import { cursor, idParameters, limit } from "../../http/parameters.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { idempotentHeaders } from "./order-id.ts";
import { newOrder, order, orderDetail, statusChange } from "./order.ts";
import type { OrderService } from "./service.ts";

const tags = ["orders"];
const params = idParameters;
const one = { 200: success(orderDetail), ...errorAnswers };

/** What the routes of orders go by. */
export interface OrderRoutesOptions {
  readonly guards: Guards;
  /** Whether an order needs an `Idempotency-Key`. */
  readonly needsKey: boolean;
}

/** The routes of orders. */
export function orderRoutes(server: Server, service: OrderService, options: OrderRoutesOptions): void {
  placeRoute(server, service, options);
  const { user, admin } = options.guards;
  server.get(
    "/orders",
    {
      onRequest: user,
      schema: {
        tags,
        ...bearer,
        summary: "Pages of one's own orders, newest first",
        querystring: z.object({ limit, cursor }),
        response: { 200: successPage(order), ...errorAnswers },
      },
    },
    async (request) => okPage(request.id, await service.list(principalOf(request).userId, request.query)),
  );
  server.get(
    "/orders/:id",
    { onRequest: user, schema: { tags, ...bearer, summary: "One order, and how it went", params, response: one } },
    async (request) => ok(request.id, await service.byId(principalOf(request), request.params.id)),
  );
  server.post(
    "/orders/:id/cancel",
    { onRequest: user, schema: { tags, ...bearer, summary: "Give the units back", params, response: one } },
    async (request) => ok(request.id, await service.cancel(principalOf(request), request.params.id)),
  );
  server.post(
    "/admin/orders/:id/status",
    {
      onRequest: admin,
      schema: { tags: ["admin"], ...bearer, summary: "Move an order on", params, body: statusChange, response: one },
    },
    async (request) => {
      const { params: at, body } = request;
      return ok(request.id, await service.setStatus(principalOf(request), at.id, body.status));
    },
  );
}

function placeRoute(server: Server, service: OrderService, { guards, needsKey }: OrderRoutesOptions): void {
  server.post(
    "/orders",
    {
      onRequest: guards.user,
      schema: {
        tags,
        ...bearer,
        summary: "Buy",
        headers: idempotentHeaders,
        body: newOrder,
        response: { 200: success(orderDetail), 201: success(orderDetail), ...errorAnswers },
      },
    },
    async (request, reply) => {
      const key = request.headers["idempotency-key"];
      if (key === undefined && needsKey) throw keyRequired();
      const principal = principalOf(request);
      const { items } = request.body;
      const { id, isRepeat } = await service.place({ userId: principal.userId, items, key, source: "order" });
      const placed = await service.byId(principal, id);
      void reply.header("location", `${request.routeOptions.url}/${id}`);
      void (isRepeat ? reply.header("idempotent-replayed", "true") : reply.code(201));
      return ok(request.id, placed);
    },
  );
}

function keyRequired(): Failure {
  return new Failure(400, ["IDEMPOTENCY_KEY_REQUIRED", "Send an Idempotency-Key, so that a retry does not buy twice"]);
}
