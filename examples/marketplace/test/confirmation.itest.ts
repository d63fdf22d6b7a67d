import { createInventory } from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { schema } from "../src/infra/database.ts";
import { confirmOrders } from "../src/modules/orders/confirmation.ts";
import { buyMany, openSale, type Sale } from "./support/flash.ts";
import { deliver } from "./support/goods.ts";
import { seededDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { send } from "./support/people.ts";
import { runMarket, type MarketProcess } from "./support/process.ts";
import { startSmtpSink, type SmtpSink } from "./support/smtp-sink.ts";

let databaseUrl: string;
let sink: SmtpSink;
let web: TestMarketplace;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
  sink = await startSmtpSink();
  web = await startMarketplace({ databaseUrl });
});
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
});

async function work(environment: Readonly<Record<string, string>> = {}): Promise<TestMarketplace> {
  const defaults = { SMTP_URL: sink.url, SIM_PAYMENT_MS: "20" };
  const worker = await startMarketplace({ databaseUrl, role: "worker", environment: { ...defaults, ...environment } });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  return worker;
}

function workApart(): MarketProcess {
  const environment = { DATABASE_URL: databaseUrl, SEED_SIZE: "none", SMTP_URL: sink.url, SIM_PAYMENT_MS: "1500" };
  return runMarket(["worker"], environment);
}

async function kill(worker: MarketProcess): Promise<void> {
  worker.signal("SIGKILL");
  await worker.ended;
}

async function count(text: string, params: readonly unknown[] = []): Promise<number> {
  return (await web.admin.query<{ count: number }>(text, params)).rows[0]?.count ?? Number.NaN;
}

function inStatus(ids: readonly string[], status: string): Promise<number> {
  const text = "select count(*)::integer as count from orders where id = any($1::uuid[]) and status = $2";
  return count(text, [ids, status]);
}

function mailsFor(ids: readonly string[]): string[] {
  const about = new Set(ids);
  const found = sink.mails.map(({ data }) => /^Message-ID:\s+<order_confirmed\.([^@]+)@/im.exec(data)?.[1] ?? "");
  return found.filter((id) => about.has(id));
}

/** Every order is confirmed, sold and told about, each once. */
async function expectAllConfirmedOnce(ids: readonly string[], { product }: Sale): Promise<void> {
  await expect.poll(() => mailsFor(ids).length, { timeout: 30_000 }).toBe(ids.length);
  expect(await inStatus(ids, "confirmed")).toBe(ids.length);
  expect(mailsFor(ids).toSorted()).toEqual(ids.toSorted());
  const sales =
    "select -coalesce(sum(delta), 0)::integer as count from inventory_movement where kind = 'sale' and product_id = $1";
  expect(await count(sales, [product])).toBe(ids.length);
  const confirmations =
    "select count(*)::integer as count from order_events where order_id = any($1::uuid[]) and to_status = 'confirmed'";
  expect(await count(confirmations, [ids])).toBe(ids.length);
}

describe("a confirmation", { timeout: 60_000 }, () => {
  it("comes once however often its jobs run, by however many workers, with one mail", async () => {
    const sale = await openSale(web, 10);
    const ids = await buyMany(web, sale, 10);
    expect(await inStatus(ids, "pending")).toBe(10);
    const again = `insert into pgboss.job (name, data) select name, data from pgboss.job
      where name = 'order_confirm' and data->>'order_id' = any($1::text[])`;
    await web.admin.query(again, [ids]);
    await Promise.all([work(), work()]);
    await expectAllConfirmedOnce(ids, sale);
    const mails = `insert into pgboss.job (name, data) select name, data from pgboss.job
      where name = 'order_email' and data->>'order_id' = any($1::text[]) returning id::text`;
    const { rows } = await web.admin.query<{ id: string }>(mails, [ids]);
    const open =
      "select count(*)::integer as count from pgboss.job where id = any($1::uuid[]) and state <> 'completed'";
    await expect.poll(() => count(open, [rows.map(({ id }) => id)]), { timeout: 20_000 }).toBe(0);
    await expectAllConfirmedOnce(ids, sale);
    const mail = sink.mails.find(({ data }) => data.includes(ids[0] ?? ""));
    expect([mail?.to, mail?.data]).toEqual([sale.buyer.email, expect.stringContaining("1 x Talking drum")]);
    expect(mail?.data).toContain("NGN 25000.00");
  });

  it("waits for a worker, and comes when there is one", async () => {
    const first = await startMarketplace({ databaseUrl, role: "worker" });
    await first[Symbol.asyncDispose]();
    const sale = await openSale(web, 40);
    const ids = await buyMany(web, sale, 40);
    expect(await inStatus(ids, "pending")).toBe(40);
    await work();
    await expectAllConfirmedOnce(ids, sale);
  });

  it("leaves what was cancelled meanwhile alone, and keeps nobody else waiting for it", async () => {
    const sale = await openSale(web, 3);
    const [cancelled = "", ...others] = await buyMany(web, sale, 3);
    const { access_token: token } = sale.buyer;
    expect((await send(web, ["POST", `/api/orders/${cancelled}/cancel`], { token })).status).toBe(200);
    await work();
    await expectAllConfirmedOnce(others, sale);
    expect([await inStatus([cancelled], "cancelled"), mailsFor([cancelled])]).toEqual([1, []]);
  });

  it("takes nobody's money for what was cancelled before", async () => {
    const sale = await openSale(web, 2);
    const ids = await buyMany(web, sale, 2);
    const [cancelled = "", open = ""] = ids;
    await web.admin.query("delete from pgboss.job where data->>'order_id' = any($1::text[])", [ids]);
    const { access_token: token } = sale.buyer;
    await send(web, ["POST", `/api/orders/${cancelled}/cancel`], { token });
    const { sql } = web.app.database;
    const charged: string[] = [];
    const payments = {
      async charge(orders: readonly string[]) {
        charged.push(...orders);
        throw new Error("the provider is away");
      },
    };
    const stock = createInventory({ store: postgresStore(sql, { schema }) });
    const ground = { sql, stock, payments, queue: { enqueue: async () => [] } };
    await confirmOrders(ground, [{ order_id: cancelled }]);
    const away = confirmOrders(ground, [{ order_id: open }, { order_id: cancelled }, { order_id: open }]);
    await expect(away).rejects.toThrow("away");
    expect(charged).toEqual([open]);
  });

  it("survives the death of its worker in the middle of the payment", async () => {
    const sale = await openSale(web, 20);
    const ids = await buyMany(web, sale, 20);
    const doomed = workApart();
    const active =
      "select count(*)::integer as count from pgboss.job where name = 'order_confirm' and state = 'active'";
    await expect.poll(() => count(active), { timeout: 20_000 }).toBe(20);
    await kill(doomed);
    expect(await inStatus(ids, "pending")).toBe(20);
    const heir = workApart();
    onTestFinished(() => kill(heir));
    await expectAllConfirmedOnce(ids, sale);
  });

  it("tells about an order when the mail server is there again", async () => {
    const sale = await openSale(web, 1);
    sink.refuse(true);
    const ids = await buyMany(web, sale, 1);
    await work();
    const retried =
      "select count(*)::integer as count from pgboss.job where name = 'order_email' and retry_count > 0 and data->>'order_id' = $1";
    await expect.poll(() => count(retried, ids), { timeout: 20_000 }).toBe(1);
    expect(mailsFor(ids)).toEqual([]);
    sink.refuse(false);
    await expectAllConfirmedOnce(ids, sale);
  });
});

describe("an order that nobody pays for", { timeout: 40_000 }, () => {
  it("expires at its deadline, and its units are there for others", async () => {
    const market = await startMarketplace({ databaseUrl, environment: { HOLD_TTL_SECONDS: "1" } });
    onTestFinished(() => market[Symbol.asyncDispose]());
    const sale = await openSale(market, 3);
    const ids = await buyMany(market, sale, 3);
    await web.admin.query("delete from pgboss.job where data->>'order_id' = any($1::text[])", [ids]);
    await Promise.all([work(), work()]);
    await expect.poll(() => inStatus(ids, "expired"), { timeout: 20_000 }).toBe(3);
    const { body } = await market.get(`/api/products/${sale.product}/stock`);
    expect(body.data).toMatchObject({ available: 3 });
    const cancelled = await send(market, ["POST", `/api/orders/${ids[0]}/cancel`], { token: sale.buyer.access_token });
    expect(cancelled.body.error).toMatchObject({ code: "ILLEGAL_TRANSITION", from: "expired" });
    expect((await web.admin.query("select from inventory_violations")).rowCount).toBe(0);
  });
});

describe("a product that becomes low", { timeout: 60_000 }, () => {
  it("is told to its seller once per crossing, whoever works", async () => {
    const sale = await openSale(web, 5);
    const path = `/api/admin/products/${sale.product}/low-stock-threshold`;
    await send(web, ["PUT", path], { body: { low_at: 3 }, token: sale.admin.access_token });
    const owner = `select u.email from products p join sellers s on s.id = p.seller_id join users u on u.id = s.user_id
      where p.id = $1::uuid`;
    const { rows } = await web.admin.query<{ email: string }>(owner, [sale.product]);
    const alerts = () =>
      sink.mails.filter(({ to, data }) => to === rows[0]?.email && data.includes("Low stock: Talking drum")).length;
    await buyMany(web, sale, 3);
    await Promise.all([work(), work()]);
    await expect.poll(alerts, { timeout: 20_000 }).toBe(1);
    await buyMany(web, sale, 1);
    await deliver(web, sale.admin, [sale.product, 5]);
    await buyMany(web, sale, 4);
    await expect.poll(alerts, { timeout: 20_000 }).toBe(2);
    expect(
      await count("select count(*)::integer as count from inventory_outbox where product_id = $1", [sale.product]),
    ).toBe(0);
  });
});
