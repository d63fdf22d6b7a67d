import { systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { frozen } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding, runLaws, service } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { redisCarts } from "../src/modules/carts/redis/store.ts";
import { cartStoreLaws, fewLines } from "./support/cart-laws.ts";
import { as, linesOf, type Request } from "./support/carts.ts";
import { deliver } from "./support/goods.ts";
import { seededDatabase, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { register, registerAdmin, send } from "./support/people.ts";

const redis = connectRedis({ url: service("redis").url, deadlineMs: 5000 });
afterAll(() => redis.close());

runLaws("carts in Redis", cartStoreLaws, () => redisCarts(redis, { ttlMs: 60_000, mostLines: fewLines }));

let databaseUrl: string;
let products: string[];
beforeAll(async () => {
  databaseUrl = await seededDatabase();
});

async function started(environment: Readonly<Record<string, string>> = {}): Promise<TestMarketplace> {
  const market = await startMarketplace({ databaseUrl, environment });
  onTestFinished(() => market[Symbol.asyncDispose]());
  const { rows } = await market.admin.query<{ id: string }>(
    "select id from products where status = 'active' order by id limit 60",
  );
  products = rows.map(({ id }) => id);
  return market;
}

describe("a cart", () => {
  it("shows what is in it, at today's prices, under both prefixes", async () => {
    const market = await started();
    const ask = as(await register(market), market);
    const [pump = "", hose = ""] = products;
    await ask(["PUT", `/api/cart/items/${pump}`], { quantity: 2 });
    const { status, body } = await ask(["PUT", `/api/v1/cart/items/${hose.toUpperCase()}`], { quantity: 1 });
    expect(status).toBe(200);
    const { rows } = await market.admin.query<{ total: number }>(
      `select sum(price_minor * case id when $1::uuid then 2 else 1 end)::float8 as total
       from products where id in ($1::uuid, $2::uuid)`,
      [pump, hose],
    );
    expect(body.data).toEqual({
      items: [
        { product_id: pump, quantity: 2, product: expect.objectContaining({ id: pump, currency: "NGN" }) },
        { product_id: hose, quantity: 1, product: expect.objectContaining({ id: hose }) },
      ],
      total_minor: rows[0]?.total,
      currency: "NGN",
    });
    expect((await ask(["GET", "/api/v1/cart"])).body.data).toEqual(body.data);
  });

  it("is set, changed, shortened and emptied, however often a request is sent", async () => {
    const market = await started();
    const ask = as(await register(market), market);
    const [one = "", two = "", three = ""] = products;
    const items = [one, two].map((id) => ({ product_id: id, quantity: 3 }));
    for (let time = 0; time < 2; time += 1) {
      expect(linesOf(await ask(["PUT", "/api/cart"], { items }))).toEqual({ [one]: 3, [two]: 3 });
    }
    await ask(["PUT", `/api/cart/items/${three}`], { quantity: 100 });
    const line = await ask(["GET", `/api/cart/items/${three.toUpperCase()}`]);
    expect(line.body.data).toMatchObject({ product_id: three, quantity: 100, product: { id: three } });
    const none = await ask(["GET", `/api/cart/items/${products[3]}`]);
    expect([none.status, none.body.error.message]).toEqual([404, "Line not found"]);
    for (let time = 0; time < 2; time += 1) {
      expect(linesOf(await ask(["DELETE", `/api/cart/items/${one}`]))).toEqual({ [two]: 3, [three]: 100 });
    }
    for (let time = 0; time < 2; time += 1) expect(linesOf(await ask(["DELETE", "/api/cart"]))).toEqual({});
  });

  it("is its owner's alone, and nobody's without a token", async () => {
    const market = await started();
    const [ada, bola] = [as(await register(market), market), as(await register(market), market)];
    await ada(["PUT", `/api/cart/items/${products[0]}`], { quantity: 1 });
    expect(linesOf(await bola(["GET", "/api/cart"]))).toEqual({});
    await bola(["DELETE", "/api/cart"]);
    expect(linesOf(await ada(["GET", "/api/cart"]))).toEqual({ [products[0] ?? ""]: 1 });
    const anonymous: Request[] = [
      ["GET", "/api/cart"],
      ["PUT", "/api/cart"],
      ["DELETE", "/api/cart"],
      ["PUT", `/api/cart/items/${products[0]}`],
      ["DELETE", `/api/cart/items/${products[0]}`],
    ];
    for (const request of anonymous) expect((await send(market, request, {})).status).toBe(401);
  });

  it("refuses what is impossible before anything is asked", async () => {
    const market = await started();
    const ask = as(await register(market), market);
    for (const quantity of [0, -1, 1.5, "2", 101, 2 ** 31, null]) {
      const answer = await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity });
      expect([quantity, answer.status, answer.body.error.code]).toEqual([quantity, 400, "VALIDATION_FAILED"]);
    }
    const item = { product_id: products[0], quantity: 1 };
    const bodies = [
      { items: [item, item] },
      { items: products.slice(0, 51).map((id) => ({ product_id: id, quantity: 1 })) },
      { items: [{ ...item, price_minor: 1 }] },
      { items: [{ ...item, product_id: "1'; drop table users" }] },
      {},
    ];
    for (const body of bodies) expect((await ask(["PUT", "/api/cart"], body)).status).toBe(400);
    expect(linesOf(await ask(["GET", "/api/cart"]))).toEqual({});
  });

  it("holds fifty products at most, and then still takes other quantities", async () => {
    const market = await started();
    const ask = as(await register(market), market);
    const items = products.slice(0, 50).map((id) => ({ product_id: id, quantity: 1 }));
    expect((await ask(["PUT", "/api/cart"], { items })).status).toBe(200);
    expect(await ask(["PUT", `/api/cart/items/${products[50]}`], { quantity: 1 })).toMatchObject({
      status: 409,
      body: { error: { code: "CART_FULL", most_items: 50 } },
    });
    expect((await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity: 9 })).status).toBe(200);
  });

  it("takes no product that is not for sale, and says of one that it has that it no longer is", async () => {
    const market = await started();
    const ask = as(await register(market), market);
    const unknown = "00000000-0000-8000-8000-000000000000";
    const [kept = "", gone = ""] = products.slice(55);
    expect((await ask(["PUT", `/api/cart/items/${unknown}`], { quantity: 1 })).status).toBe(404);
    const items = [kept, gone].map((id) => ({ product_id: id, quantity: 1 }));
    await ask(["PUT", "/api/cart"], { items });
    const refused = await ask(["PUT", "/api/cart"], { items: [{ product_id: unknown, quantity: 1 }] });
    expect([refused.status, refused.body.error.code]).toEqual([404, "NOT_FOUND"]);
    await market.admin.query("update products set status = 'archived' where id = $1::uuid", [gone]);
    const { body } = await ask(["GET", "/api/cart"]);
    const data = body.data as { items: { product: { price_minor: number } | null }[]; total_minor: number };
    expect(data.items.map(({ product }) => product === null)).toEqual([false, true]);
    expect(data.total_minor).toBe(data.items[0]?.product?.price_minor);
    expect(linesOf(await ask(["DELETE", `/api/cart/items/${gone}`]))).toEqual({ [kept]: 1 });
  });
});

describeNeeding({ redis: "real" }, "a cart in Redis", () => {
  it("is a hash that HGETALL shows, with an expiry, and the same in every process", async () => {
    const server = await ownRedis();
    const environment = { REDIS_URL: server.url, CART_TTL_SECONDS: "600", SECRET_KEY: "k".repeat(32) };
    const [one, other] = [await started(environment), await started(environment)];
    const person = await register(one);
    await as(person, one)(["PUT", `/api/cart/items/${products[0]}`], { quantity: 4 });
    expect(linesOf(await as(person, other)(["GET", "/api/cart"]))).toEqual({ [products[0] ?? ""]: 4 });
    await using direct = connectRedis(server.url);
    const key = `cart:${person.user.id}`;
    expect(await direct.read("HGETALL", [key])).toEqual([products[0], "4"]);
    const leftMs = Number(await direct.read("PTTL", [key]));
    expect([leftMs > 500_000, leftMs <= 600_000]).toEqual([true, true]);
    await as(person, other)(["DELETE", "/api/cart"]);
    expect(await direct.read("EXISTS", [key])).toBe(0);
  });

  it("is all that cannot be had while Redis is frozen, within a second, and is there afterwards", async () => {
    const server = await ownRedis();
    const market = await started({ REDIS_URL: server.url });
    const ask = as(await register(market), market);
    await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity: 4 });
    await frozen(server.pid, async () => {
      // The first one is sent, and nobody knows what became of it.
      expect((await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity: 5 })).status).toBe(503);
      for (let turn = 0; turn < 5; turn += 1) {
        const startedMs = systemClock.monotonic();
        const answer = await ask(["GET", "/api/cart"]);
        expect([answer.status, answer.body.error.code]).toEqual([503, "CART_UNAVAILABLE"]);
        expect(answer.headers.get("retry-after")).toBe("1");
        expect(systemClock.monotonic() - startedMs).toBeLessThan(1000);
      }
      expect((await ask(["GET", "/api/auth/me"])).status).toBe(200);
      expect((await market.get("/api/products?limit=1")).status).toBe(200);
    });
    await expect.poll(async () => (await ask(["GET", "/api/cart"])).status, { interval: 50 }).toBe(200);
    expect((await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity: 6 })).status).toBe(200);
  });

  it("is empty after a flush, and works again at once", async () => {
    const server = await ownRedis();
    const market = await started({ REDIS_URL: server.url });
    const ask = as(await register(market), market);
    await ask(["PUT", `/api/cart/items/${products[0]}`], { quantity: 4 });
    await flush(server);
    expect(linesOf(await ask(["GET", "/api/cart"]))).toEqual({});
    const again = await ask(["PUT", `/api/cart/items/${products[1]}`], { quantity: 2 });
    expect(linesOf(again)).toEqual({ [products[1] ?? ""]: 2 });
  });

  it("is lost with its Redis, and no order is, nor any hindered while Redis is frozen", async () => {
    const server = await ownRedis();
    const market = await started({ REDIS_URL: server.url });
    const person = await register(market);
    const ask = as(person, market);
    const admin = await registerAdmin(market);
    const [product = ""] = products;
    await deliver(market, admin, [product, 10]);
    await ask(["PUT", `/api/cart/items/${product}`], { quantity: 2 });
    const order = async (key: string): Promise<Answer> =>
      send(market, ["POST", "/api/orders"], {
        body: { items: [{ product_id: product, quantity: 2 }] },
        token: person.access_token,
        headers: { "idempotency-key": key },
      });
    const placed = [await order("first")];
    await frozen(server.pid, async () => {
      expect((await ask(["GET", "/api/cart"])).status).toBe(503);
      placed.push(await order("second"));
    });
    await flush(server);
    expect(placed.map(({ status }) => status)).toEqual([201, 201]);
    for (const { body } of placed) {
      const { id } = body.data as { id: string };
      expect((await ask(["GET", `/api/orders/${id}`])).status).toBe(200);
    }
    await expect.poll(async () => (await ask(["GET", "/api/cart"])).status, { interval: 50 }).toBe(200);
    expect(linesOf(await ask(["GET", "/api/cart"]))).toEqual({});
  });

  it("cannot be had where there is no Redis, and everything else can", async () => {
    const server = await ownRedis();
    await server.stop();
    const market = await started({ REDIS_URL: server.url });
    const ask = as(await register(market), market);
    expect(await ask(["GET", "/api/cart"])).toMatchObject({
      status: 503,
      body: { error: { code: "CART_UNAVAILABLE" } },
    });
    expect((await ask(["DELETE", "/api/cart"])).status).toBe(503);
    expect((await market.get("/health/ready")).status).toBe(200);
    expect((await market.get("/api/products?limit=1")).status).toBe(200);
  });
});

async function ownRedis(): Promise<LaunchedRedis> {
  const binary = await findRedis();
  if (binary === undefined) throw new Error("There is no redis-server on this machine.");
  const server = await launchRedis({ binary });
  onTestFinished(() => server.stop());
  return server;
}

async function flush({ url }: LaunchedRedis): Promise<void> {
  const client = new Ioredis(url);
  await client.flushall();
  client.disconnect();
}
