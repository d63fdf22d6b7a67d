import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newProduct } from "./support/goods.ts";
import { startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { register, registerAdmin, registerSeller, send, type Person } from "./support/people.ts";

let market: TestMarketplace;
let admin: Person;
beforeAll(async () => {
  market = await startMarketplace();
  admin = await registerAdmin(market);
});
afterAll(() => market[Symbol.asyncDispose]());

async function levelOf(product: string) {
  return (await market.get(`/api/products/${product}/stock`)).body.data as { available: number; version: number };
}

function administer(product: string, what: string, body: object) {
  const method = what === "low-stock-threshold" ? "PUT" : "POST";
  return send(market, [method, `/api/admin/products/${product}/${what}`], { body, token: admin.access_token });
}

describe("stock", () => {
  it("is there for the products of the seed, as their movements say", async () => {
    const { rows } = await market.admin.query<{ id: string; available: number }>(
      `select product_id as id, sum(delta)::integer as available from inventory_movement group by 1 order by 1 limit 1`,
    );
    expect(await levelOf(rows[0]?.id ?? "")).toMatchObject({ available: rows[0]?.available });
    const counted = "select count(*)::integer as products from inventory where on_hand > 0";
    const products = (await market.admin.query<{ products: number }>(counted)).rows[0]?.products;
    expect(products).toBeGreaterThan(450);
    expect((await market.admin.query("select from inventory_violations")).rowCount).toBe(0);
  });

  it("of a product that never had any is 0, and of one that there is not is a 404", async () => {
    const product = await newProduct(market, await registerSeller(market));
    expect(await levelOf(product)).toEqual({ product_id: product, available: 0, version: 0 });
    expect((await market.get(`/api/products/${crypto.randomUUID()}/stock`)).status).toBe(404);
  });

  it("grows by a delivery once per key", async () => {
    const product = await newProduct(market, await registerSeller(market));
    const delivery = { quantity: 7, key: `delivery ${product}` };
    const first = await administer(product, "restock", delivery);
    expect([first.status, first.body.data]).toEqual([200, expect.objectContaining({ available: 7, applied: true })]);
    const again = await administer(product, "restock", delivery);
    expect(again.body.data).toMatchObject({ available: 7, applied: false });
    const other = await administer(product, "restock", { ...delivery, quantity: 8 });
    expect([other.status, other.body.error.code]).toEqual([409, "KEY_REUSE"]);
    expect(await levelOf(product)).toMatchObject({ available: 7 });
  });

  it("is set right by a count, but never below what is held", async () => {
    const product = await newProduct(market, await registerSeller(market));
    expect((await administer(product, "adjust-stock", { quantity: -1, key: `a ${product}` })).status).toBe(404);
    await administer(product, "restock", { quantity: 3, key: `b ${product}` });
    const fewer = await administer(product, "adjust-stock", { quantity: -1, key: `c ${product}` });
    expect(fewer.body.data).toMatchObject({ available: 2, applied: true });
    const none = await administer(product, "adjust-stock", { quantity: -3, key: `d ${product}` });
    expect([none.status, none.body.error.code]).toEqual([409, "STOCK_REFUSED"]);
  });

  it("is moved by administrators alone, in whole units", async () => {
    const product = await newProduct(market, await registerSeller(market));
    const token = (await register(market)).access_token;
    const path = `/api/admin/products/${product}/restock`;
    const body = { quantity: 1, key: "x" };
    expect((await send(market, ["POST", path], { body, token })).status).toBe(403);
    expect((await send(market, ["POST", path], { body })).status).toBe(401);
    for (const quantity of [0, -1, 1.5, "2", 2 ** 31]) {
      expect((await administer(product, "restock", { quantity, key: "y" })).status).toBe(400);
    }
    expect((await administer(crypto.randomUUID(), "restock", body)).status).toBe(404);
    expect(await levelOf(product)).toMatchObject({ available: 0 });
  });
});
