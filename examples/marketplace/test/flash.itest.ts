import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { secret } from "./support/config.ts";
import { buyOne, flashBuy, openSale, type FlashAnswer, type Sale } from "./support/flash.ts";
import { setHint } from "./support/hint.ts";
import { seededDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { send } from "./support/people.ts";

let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
});

async function open(environment: Readonly<Record<string, string>> = {}): Promise<TestMarketplace> {
  const market = await startMarketplace({ databaseUrl, environment });
  onTestFinished(() => market[Symbol.asyncDispose]());
  return market;
}

function asBuyer({ buyer }: Sale, key?: string): Record<string, string> {
  const authorization = `Bearer ${buyer.access_token}`;
  return key === undefined ? { authorization } : { authorization, "idempotency-key": key };
}

async function one(market: TestMarketplace, text: string, params: readonly unknown[]): Promise<unknown> {
  return (await market.admin.query(text, params)).rows[0];
}

const sold = `select count(*)::integer as orders, coalesce(sum(quantity), 0)::integer as units,
    (select count(*)::integer from pgboss.job where name = 'order_confirm'
      and data->>'order_id' in (select order_id::text from order_items where product_id = $1::uuid)) as jobs
  from order_items where product_id = $1::uuid`;

/** What the books say of a product, after all of its units were sold. */
async function expectSoldExactly(market: TestMarketplace, product: string, units: number): Promise<void> {
  expect(await one(market, sold, [product])).toEqual({ orders: units, units, jobs: units });
  const stock = "select on_hand::integer, reserved::integer from inventory where product_id = $1";
  expect(await one(market, stock, [product])).toEqual({ on_hand: units, reserved: units });
  expect((await market.admin.query("select from inventory_violations")).rowCount).toBe(0);
}

function tally(answers: readonly FlashAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = `${status} ${body.error?.code ?? ""}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe("a flash purchase", () => {
  let market: TestMarketplace;
  beforeAll(async () => {
    market = await startMarketplace({ databaseUrl });
  });
  afterAll(() => market[Symbol.asyncDispose]());

  it("is answered when its order can be seen by everybody, in the words that clients know", async () => {
    const sale = await openSale(market, 3);
    const { status, headers, body } = await buyOne(market, sale);
    const id = body.order_id ?? "";
    const row = await one(market, "select status, source from orders where id = $1::uuid", [id]);
    expect(status).toBe(202);
    expect(body).toEqual({ order_id: id, status: "pending", message: "Order queued! Processing in background." });
    expect(row).toEqual({ status: "pending", source: "flash" });
    expect(headers.get("location")).toBe(`/api/orders/${id}`);
    expect(headers.get("server-timing")).toMatch(/^accept;dur=\d+\.\d$/);
    const shown = await send(market, ["GET", `/api/orders/${id}`], { token: sale.buyer.access_token });
    expect(shown.body.data).toMatchObject({ id, total_minor: 2_500_000, items: [{ quantity: 1 }] });
  });

  it("is the same order however often its key is sent", async () => {
    const sale = await openSale(market, 5);
    const body = { product_id: sale.product, quantity: 2 };
    const headers = asBuyer(sale, "click");
    const all = await Promise.all(Array.from({ length: 6 }, () => flashBuy(market, body, headers)));
    all.push(await flashBuy(market, body, headers));
    expect(tally(all)).toEqual({ "202": 7 });
    expect(new Set(all.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(all.filter((answer) => answer.headers.get("idempotent-replayed") === "true")).toHaveLength(6);
    expect(await one(market, sold, [sale.product])).toMatchObject({ orders: 1, units: 2 });
    const other = await flashBuy(market, { ...body, quantity: 1 }, headers);
    const elsewhere = await send(market, ["POST", "/api/orders"], { body: { items: [body] }, headers });
    expect([other.body.error?.code, elsewhere.body.error.code]).toEqual([
      "IDEMPOTENCY_KEY_REUSE",
      "IDEMPOTENCY_KEY_REUSE",
    ]);
  });

  it.each([0, -1, 1.5, "2", 1e9, null])("of %j units is refused before the database is asked", async (quantity) => {
    const sale = await openSale(market, 0);
    // Whoever asked the database would learn that the session has ended.
    await send(market, ["POST", "/api/auth/logout-all"], { token: sale.buyer.access_token });
    const refused = await flashBuy(market, { product_id: sale.product, quantity }, asBuyer(sale));
    expect(tally([refused])).toEqual({ "400 VALIDATION_FAILED": 1 });
    expect(tally([await buyOne(market, sale)])).toEqual({ "401 TOKEN_INVALID": 1 });
  });

  it("needs a token, and a product that is for sale", async () => {
    const sale = await openSale(market, 0);
    expect(tally([await flashBuy(market, { product_id: sale.product })])).toEqual({ "401 UNAUTHENTICATED": 1 });
    expect(tally([await flashBuy(market, { quantity: 0 })])).toEqual({ "401 UNAUTHENTICATED": 1 });
    const unknown = await flashBuy(market, { product_id: crypto.randomUUID() }, asBuyer(sale));
    expect(tally([unknown])).toEqual({ "404 NOT_FOUND": 1 });
    const soldOut = await buyOne(market, sale);
    expect([soldOut.status, soldOut.body.error]).toMatchObject([
      409,
      { code: "OUT_OF_STOCK", message: "Out of stock!" },
    ]);
  });

  it("of what is out of stock is a 400 to clients of the profile detail, in the words that they know", async () => {
    const knowing = await open({ ERROR_PROFILE: "detail" });
    const sale = await openSale(knowing, 0);
    const { status, body } = await buyOne(knowing, sale);
    expect([status, body]).toEqual([400, expect.objectContaining({ detail: "Out of stock!" })]);
    const problem = await flashBuy(
      knowing,
      { product_id: sale.product },
      { ...asBuyer(sale), accept: "application/problem+json" },
    );
    expect([problem.status, problem.body]).toEqual([409, expect.objectContaining({ status: 409 })]);
  });

  it("that cannot be written leaves nothing, and takes none of the others with it", async () => {
    const sale = await openSale(market, 100);
    await market.admin.script("alter table order_items add constraint broken check (quantity <> 7) not valid");
    const quantities = Array.from({ length: 20 }, (_, index) => (index % 5 === 0 ? 7 : 1));
    const answers = await Promise.all(
      quantities.map((quantity) => flashBuy(market, { product_id: sale.product, quantity }, asBuyer(sale))),
    );
    await market.admin.script("alter table order_items drop constraint broken");
    expect(tally(answers)).toEqual({ "202": 16, "500 INTERNAL_ERROR": 4 });
    expect(await one(market, sold, [sale.product])).toEqual({ orders: 16, units: 16, jobs: 16 });
    const stock = "select reserved::integer from inventory where product_id = $1";
    expect(await one(market, stock, [sale.product])).toEqual({ reserved: 16 });
  });

  it("of what is archived meanwhile is a 404, and nothing is held for it", async () => {
    const sale = await openSale(market, 5);
    await send(market, ["DELETE", `/api/products/${sale.product}`], { token: sale.admin.access_token });
    const answers = await Promise.all([1, 2, 3].map(() => buyOne(market, sale)));
    expect(tally(answers)).toEqual({ "404 NOT_FOUND": 3 });
    expect(await one(market, "select reserved::integer from inventory where product_id = $1", [sale.product])).toEqual({
      reserved: 0,
    });
  });
});

describe.each(["gate", "dual", "optimistic"])("a crowd under the strategy %s", (strategy) => {
  it("gets exactly the units that there are, over two processes", async () => {
    // Both must believe in one token, and whoever waits for a row lock or a connection is no failure here.
    const patience = { DB_POOL_TIMEOUT_MS: "20000", STATEMENT_TIMEOUT_MS: "20000", REQUEST_TIMEOUT_MS: "30000" };
    const environment = { INVENTORY_STRATEGY: strategy, SECRET_KEY: secret, ...patience };
    const [market, other] = [await open(environment), await open(environment)];
    const sale = await openSale(market, 10);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => buyOne(index % 2 === 0 ? market : other, sale)),
    );
    const { "202": accepted, ...refused } = tally(answers);
    expect(accepted).toBe(10);
    const names = new Set(["409 OUT_OF_STOCK", ...(strategy === "optimistic" ? ["409 STOCK_CONTENTION"] : [])]);
    expect(Object.keys(refused).filter((name) => !names.has(name))).toEqual([]);
    await expectSoldExactly(market, sale.product, 10);
  });
});

describeNeeding({ redis: "real" }, "a sale with a counter in Redis", () => {
  it.each(["gate", "dual"])(
    "sells exactly what there is under %s, whatever Redis says, and without it",
    async (strategy) => {
      const redis: LaunchedRedis = await launchRedis({ binary: (await findRedis()) ?? "" });
      onTestFinished(() => redis.stop());
      const environment = { INVENTORY_STRATEGY: strategy, INVENTORY_REDIS_URL: redis.url };
      const market = await open(environment);
      const sale = await openSale(market, 30);
      const crowd = () => Promise.all(Array.from({ length: 40 }, () => buyOne(market, sale)));
      const ten = () => Promise.all(Array.from({ length: 10 }, () => buyOne(market, sale)));
      const answers = [...(await ten())];
      await setHint(redis.url, sale.product, 1_000_000);
      answers.push(...(await ten()));
      await redis.stop();
      answers.push(...(await crowd()));
      expect(tally(answers)).toEqual({ "202": 30, "409 OUT_OF_STOCK": 30 });
      await expectSoldExactly(market, sale.product, 30);
    },
  );
});
