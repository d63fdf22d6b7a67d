import { statusError, type HttpHandler } from "@sluice/http";

import { native, neutral, pieces } from "../cases/handlers.ts";
import type { NativeHandler, Route } from "../framework.ts";
import type { ShopGround } from "./shop.ts";

/** The twelve routes of the shop. */
export function shopRoutes(ground: ShopGround): Route[] {
  const { guards } = ground;
  return [
    native("GET", "/health", ({ reply }) => reply(200, "ok")),
    { ...native("GET", "/products", list(ground)), guards: [guards.list] },
    { ...native("GET", "/products/:id", detail(ground)), guards: [guards.detail] },
    native("POST", "/products", create(ground)),
    native("PUT", "/products/:id", update(ground)),
    native("DELETE", "/products/:id", remove(ground)),
    { ...native("POST", "/login", logIn), guards: [guards.login] },
    { ...native("POST", "/flash-buy", flashBuy), guards: [guards.flash] },
    { ...native("GET", "/exports/:id", exportGoods(ground)), guards: [guards.exports] },
    { ...native("GET", "/events", events), guards: [guards.events] },
    { ...neutral("GET", "/me", me), guards: [guards.detail] },
    neutral("POST", "/hooks", hook),
  ];
}

const json = { "content-type": "application/json" };

function list({ goods, reading }: ShopGround): NativeHandler {
  return async ({ reply }) => {
    const products = goods.list();
    await reading;
    return reply(200, { products });
  };
}

function detail({ goods }: ShopGround): NativeHandler {
  return ({ reply, path }) => {
    const product = goods.find(idOf(path));
    if (!product) throw statusError(404);
    return reply(200, product);
  };
}

function create({ goods, cache, guards }: ShopGround): NativeHandler {
  return async ({ reply, body }) => {
    const { id, name } = productOf(await body());
    const product = goods.put(id, name);
    await cache.invalidate([guards.list.all(), guards.detail.entry(id)]);
    return reply(201, product, { location: `/products/${id}` });
  };
}

function update({ goods, cache, guards }: ShopGround): NativeHandler {
  return async ({ reply, path, body }) => {
    const { name } = productOf(await body());
    const product = goods.put(idOf(path), name);
    await cache.invalidate([guards.list.all(), guards.detail.entry(product.id)]);
    return reply(200, product);
  };
}

function remove({ goods, cache, guards }: ShopGround): NativeHandler {
  return async ({ reply, path }) => {
    if (!goods.remove(idOf(path))) throw statusError(404);
    await cache.invalidate([guards.list.all(), guards.detail.entry(idOf(path))]);
    return reply(204);
  };
}

const logIn: NativeHandler = async ({ body, reply }) => {
  const { password } = (await body()) as { readonly password?: string };
  if (password !== "correct") throw statusError(401);
  return reply(200, { token: "a" });
};

/** The body is of the guard's decision, which so has come to the handler. */
const flashBuy: NativeHandler = ({ reply, context }) =>
  reply(202, { status: "queued", remaining: context.rateLimit?.limits[0]?.remaining });

function exportGoods({ exporting }: ShopGround): NativeHandler {
  return async ({ reply }) => {
    exporting.begin();
    await exporting.done.promise;
    return reply(200, "1,Lamp\n", { "content-type": "text/csv" });
  };
}

const events: NativeHandler = ({ stream }) =>
  stream(pieces(["data: 1\n\n", "data: 2\n\n"]), { "content-type": "text/event-stream" });

const me: HttpHandler = async ({ principal }) => {
  if (principal === undefined) throw statusError(401);
  return { status: 200, headers: json, body: JSON.stringify({ user: principal }) };
};

/** What a signature would be checked against: the bytes as they were sent. */
const hook: HttpHandler = async (request) => {
  const bytes = await request.body();
  return { status: 200, headers: json, body: JSON.stringify({ bytes: bytes.byteLength }) };
};

function idOf(path: string): string {
  return path.split("/").at(-1) ?? "";
}

function productOf(body: unknown): { readonly id: string; readonly name: string } {
  const { id, name } = body as { readonly id?: unknown; readonly name?: unknown };
  return { id: String(id), name: String(name) };
}
