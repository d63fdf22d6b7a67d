import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { deliver, newProduct } from "./support/goods.ts";
import { startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { register, registerAdmin, registerSeller, send, type Person } from "./support/people.ts";

interface OrderBody {
  readonly id: string;
  readonly status: string;
  readonly total_minor: number;
  readonly version: number;
  readonly items: readonly object[];
  readonly events: readonly { readonly from: string | null; readonly to: string }[];
}

let market: TestMarketplace;
let admin: Person;
let buyer: Person;
let product: string;
beforeAll(async () => {
  market = await startMarketplace();
  admin = await registerAdmin(market);
  buyer = await register(market);
  product = await newProduct(market, await registerSeller(market));
  await deliver(market, admin, [product, 20]);
});
afterAll(() => market[Symbol.asyncDispose]());

function order(items: readonly object[], key = crypto.randomUUID() as string, token = buyer.access_token) {
  return send(market, ["POST", "/api/orders"], { body: { items }, token, headers: { "idempotency-key": key } });
}

/** Lines of one product. */
function linesOf(...units: readonly number[]): readonly object[] {
  return units.map((quantity) => ({ product_id: product, quantity }));
}

async function ordered(quantity = 1): Promise<OrderBody> {
  const answer = await order([{ product_id: product, quantity }]);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.data;
}

function move(id: string, status: string, token = admin.access_token): Promise<Answer> {
  return send(market, ["POST", `/api/admin/orders/${id}/status`], { body: { status }, token });
}

function cancel(id: string, token = buyer.access_token): Promise<Answer> {
  return send(market, ["POST", `/api/orders/${id}/cancel`], { token });
}

async function available(of = product): Promise<number> {
  return ((await market.get(`/api/products/${of}/stock`)).body.data as { available: number }).available;
}

async function count(text: string, params: readonly unknown[] = []): Promise<number> {
  return (await market.admin.query<{ count: number }>(text, params)).rows[0]?.count ?? Number.NaN;
}

describe("an order", () => {
  it("reserves its units, keeps name and price, and waits for its payment", async () => {
    const before = await available();
    const answer = await order([
      { product_id: product, quantity: 2 },
      { product_id: product, quantity: 1 },
    ]);
    expect(answer.status).toBe(201);
    const placed: OrderBody = answer.body.data;
    expect(answer.headers.get("location")).toBe(`/api/orders/${placed.id}`);
    expect(placed).toMatchObject({
      status: "pending",
      source: "order",
      total_minor: 7_500_000,
      currency: "NGN",
      version: 1,
      items: [{ product_id: product, name: "Talking drum", quantity: 3, price_minor: 2_500_000 }],
      events: [{ from: null, to: "pending" }],
    });
    expect(await available()).toBe(before - 3);
    const jobs =
      "select count(*)::integer as count from pgboss.job where name = 'order_confirm' and data->>'order_id' = $1";
    expect(await count(jobs, [placed.id])).toBe(1);
  });

  it("is one order however often its key is sent, at once too", async () => {
    const before = await available();
    const key = "one and the same";
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => order([{ product_id: product, quantity: 1 }], key)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 200, 200, 200, 200, 201,
    ]);
    expect(new Set(answers.map(({ body }) => (body.data as OrderBody).id)).size).toBe(1);
    const repeats = answers.filter(({ headers }) => headers.get("idempotent-replayed") === "true");
    expect(repeats).toHaveLength(7);
    expect(await available()).toBe(before - 1);
    const other = await order([{ product_id: product, quantity: 2 }], key);
    expect([other.status, other.body.error.code]).toEqual([409, "IDEMPOTENCY_KEY_REUSE"]);
    const somebody = await register(market);
    expect((await order([{ product_id: product, quantity: 1 }], key, somebody.access_token)).status).toBe(201);
  });

  it("needs a key", async () => {
    const items = [{ product_id: product, quantity: 1 }];
    const answer = await send(market, ["POST", "/api/orders"], { body: { items }, token: buyer.access_token });
    expect([answer.status, answer.body.error.code]).toEqual([400, "IDEMPOTENCY_KEY_REQUIRED"]);
  });

  it("of several products is all or nothing", async () => {
    const rare = await newProduct(market, await registerSeller(market));
    await deliver(market, admin, [rare, 1]);
    const before = await available();
    const answer = await order([
      { product_id: product, quantity: 1 },
      { product_id: rare, quantity: 2 },
    ]);
    expect([answer.status, answer.body.error]).toEqual([
      409,
      expect.objectContaining({ code: "OUT_OF_STOCK", message: "Out of stock!", product_id: rare, available: 1 }),
    ]);
    expect([await available(), await available(rare)]).toEqual([before, 1]);
  });

  it("is of as many units as all lines of a product have together, and of no more than one line may have", async () => {
    const before = await available();
    const placed = await order(linesOf(2, 1));
    expect(placed.status).toBe(201);
    expect((placed.body.data as OrderBody).items).toEqual([expect.objectContaining({ quantity: 3 })]);
    const tooMany = await order(linesOf(100, 1));
    expect([tooMany.status, tooMany.body.error.fields?.map(({ path }) => path)]).toEqual([400, ["body.items"]]);
    expect(await available()).toBe(before - 3);
    await cancel((placed.body.data as OrderBody).id);
  });

  it("of what is not for sale is a 404, and of what never came in is out of stock", async () => {
    expect((await order([{ product_id: crypto.randomUUID(), quantity: 1 }])).status).toBe(404);
    const seller = await registerSeller(market);
    const fresh = await newProduct(market, seller);
    expect((await order([{ product_id: fresh, quantity: 1 }])).body.error.code).toBe("OUT_OF_STOCK");
    await deliver(market, admin, [fresh, 1]);
    await send(market, ["DELETE", `/api/products/${fresh}`], { token: seller.access_token });
    expect((await order([{ product_id: fresh, quantity: 1 }])).status).toBe(404);
    expect(await count("select reserved::integer as count from inventory where product_id = $1", [fresh])).toBe(0);
  });

  it("leaves neither reservation nor job when it cannot be written", async () => {
    const held = "select count(*)::integer as count from inventory_reservation";
    const jobs = "select count(*)::integer as count from pgboss.job where name = 'order_confirm'";
    const before = [await count(held), await count(jobs), await available()];
    await market.admin.script("alter table order_items add constraint broken check (quantity <> 7) not valid");
    const answer = await order([{ product_id: product, quantity: 7 }]);
    await market.admin.script("alter table order_items drop constraint broken");
    expect(answer.status).toBe(500);
    expect([await count(held), await count(jobs), await available()]).toEqual(before);
  });

  it.each([0, -1, 1.5, "2", 1e9])("of %j units is refused", async (quantity) => {
    const answer = await order([{ product_id: product, quantity }]);
    expect([answer.status, answer.body.error.code]).toEqual([400, "VALIDATION_FAILED"]);
  });
});

describe("orders", () => {
  it("are listed to their owner, newest first, page by page", async () => {
    const owner = await register(market);
    const ids: string[] = [];
    for (let each = 0; each < 3; each += 1) {
      const answer = await order([{ product_id: product, quantity: 1 }], `list ${each}`, owner.access_token);
      ids.unshift((answer.body.data as OrderBody).id);
    }
    const read = (query: string) => send(market, ["GET", `/api/orders${query}`], { token: owner.access_token });
    const first = await read("?limit=2");
    const second = await read(`?limit=2&cursor=${first.body.page.next_cursor ?? ""}`);
    const seen = [first, second].flatMap(({ body }) => (body.data as OrderBody[]).map(({ id }) => id));
    expect(seen).toEqual(ids);
    expect(second.body.page.next_cursor).toBeNull();
  });

  it("are shown to their owner and to administrators alone", async () => {
    const { id } = await ordered();
    const stranger = await register(market);
    const read = (token?: string) => send(market, ["GET", `/api/orders/${id}`], token === undefined ? {} : { token });
    const answers = await Promise.all([buyer, admin, stranger].map((person) => read(person.access_token)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect((await read()).status).toBe(401);
    expect((await cancel(id, stranger.access_token)).status).toBe(404);
    expect((await move(id, "confirmed", buyer.access_token)).status).toBe(403);
  });

  it("give their units back when they are cancelled, once", async () => {
    const before = await available();
    const { id } = await ordered(2);
    const both = await Promise.all([cancel(id), cancel(id)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await available()).toBe(before);
    expect((await cancel(id)).body.error).toMatchObject({ code: "ILLEGAL_TRANSITION", from: "cancelled" });
  });

  it("go their way step by step, and remember it", async () => {
    const before = await available();
    const { id } = await ordered();
    expect((await move(id, "delivered")).body.error).toMatchObject({ code: "ILLEGAL_TRANSITION", to: "delivered" });
    for (const status of ["confirmed", "shipped", "delivered"]) expect((await move(id, status)).status).toBe(200);
    const { body } = await send(market, ["GET", `/api/orders/${id}`], { token: buyer.access_token });
    const done: OrderBody = body.data;
    expect([done.status, done.version]).toEqual(["delivered", 4]);
    expect(done.events.map(({ to }) => to)).toEqual(["pending", "confirmed", "shipped", "delivered"]);
    expect((await cancel(id)).status).toBe(409);
    expect(await available()).toBe(before - 1);
    const sales = "select -sum(delta)::integer as count from inventory_movement where kind = 'sale' and dedupe like $1";
    expect(await count(sales, [`sale:${id}:%`])).toBe(1);
  });

  it("take no way that the table does not have, whoever writes", async () => {
    const { id } = await ordered();
    const jump = market.admin.query("update orders set status = 'refunded' where id = $1::uuid", [id]);
    await expect(jump).rejects.toThrow("cannot become refunded");
  });
});
