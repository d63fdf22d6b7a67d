import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { header, request, text } from "../client/request.ts";
import type { WireResponse } from "../client/response.ts";
import { get, send } from "../conformance/client.ts";
import { createShop, type Shop } from "../conformance/shop.ts";

const ada = { user: "ada" };

interface Step {
  readonly route: string;
  readonly ask: (port: number, shop: Shop) => Promise<WireResponse>;
  readonly status: number;
  /** The body, or what it contains. */
  readonly body: string;
}

/** Each of the twelve routes once, as a client of the shop would come by them. */
const steps: readonly Step[] = [
  { route: "GET /health", ask: (port) => get(port, "/health"), status: 200, body: "ok" },
  {
    route: "POST /login",
    ask: (port) => send(port, "POST /login", { body: { password: "correct" } }),
    status: 200,
    body: '{"token":"a"}',
  },
  { route: "GET /me", ask: (port) => get(port, "/me", ada), status: 200, body: '{"user":"ada"}' },
  {
    route: "POST /products",
    ask: (port) => send(port, "POST /products", { body: { id: "2", name: "Mug" }, ...ada }),
    status: 201,
    body: '{"id":"2","name":"Mug","version":1}',
  },
  { route: "GET /products", ask: (port) => get(port, "/products?page=1"), status: 200, body: '"name":"Mug"' },
  { route: "GET /products/:id", ask: (port) => get(port, "/products/2"), status: 200, body: '"version":1' },
  {
    route: "PUT /products/:id",
    ask: (port) => send(port, "PUT /products/2", { body: { name: "Cup" }, ...ada }),
    status: 200,
    body: '{"id":"2","name":"Cup","version":2}',
  },
  {
    route: "DELETE /products/:id",
    ask: (port) => request(port, { method: "DELETE", path: "/products/2" }),
    status: 204,
    body: "",
  },
  {
    route: "POST /flash-buy",
    ask: (port) => send(port, "POST /flash-buy", { body: {}, ...ada }),
    status: 202,
    body: "queued",
  },
  {
    route: "GET /exports/:id",
    ask(port, { exporting }) {
      exporting.done.resolve();
      return get(port, "/exports/1", ada);
    },
    status: 200,
    body: "1,Lamp\n",
  },
  { route: "GET /events", ask: (port) => get(port, "/events"), status: 200, body: "data: 1\n\ndata: 2\n\n" },
  {
    route: "POST /hooks",
    ask: (port) => send(port, "POST /hooks", { body: { a: "é" } }),
    status: 200,
    body: '{"bytes":10}',
  },
];

/** One shop of twelve routes, described once and built on each framework. */
export const conformanceCases: readonly ContractCase[] = [
  {
    title: "conformance: has twelve routes, and each of them is walked through below",
    async check() {
      await using shop = createShop();
      const routes = (shop.app.routes ?? []).map(({ method, path }) => `${method} ${path}`);
      expect(routes).toHaveLength(12);
      expect(steps.map(({ route }) => route).toSorted()).toEqual(routes.toSorted());
    },
  },
  {
    title: "conformance: answers all twelve routes, each with the id of its request",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      for (const { route, ask, status, body } of steps) {
        const response = await ask(port, shop);
        expect([route, response.status]).toEqual([route, status]);
        expect(text(response)).toContain(body);
        expect(header(response, "x-request-id")).toMatch(/^[\w-]{8,}$/);
      }
    },
  },
  {
    title: "conformance: refuses what its routes do not take, in one shape",
    async check({ listen }) {
      await using shop = createShop();
      const port = await listen(shop.app);
      const type = { "content-type": "text/csv" };
      const refused = [
        await request(port, { method: "DELETE", path: "/health" }),
        await request(port, { method: "POST", path: "/products", headers: type, body: "a,b" }),
        await send(port, "POST /products", { body: { name: "x".repeat(2000) } }),
        await get(port, "/products/none"),
        await send(port, "POST /login", { body: { password: "wrong" } }),
      ];
      expect(refused.map(({ status }) => status)).toEqual([405, 415, 413, 404, 401]);
      for (const response of refused) expect(text(response)).toMatch(/^\{"ok":false,"error":\{"code":"[A-Z_]+"/);
      expect(header(refused[0] as WireResponse, "allow")).toContain("GET");
    },
  },
];
