import { connectRedis } from "@sluice/redis/ioredis";
import { findRedis, launchRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { withAdministrator } from "../src/infra/database.ts";
import { createQueue, type JobName, type Queue } from "../src/infra/queue.ts";
import { buyOne, openSale } from "./support/flash.ts";
import { setHint } from "./support/hint.ts";
import { seededDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { runMarket } from "./support/process.ts";
import { startSmtpSink } from "./support/smtp-sink.ts";

let databaseUrl: string;
let queue: Queue;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
  const log = { info: ignore, warn: ignore, error: ignore, debug: ignore };
  queue = await createQueue({ urls: [databaseUrl], log, schedules: false, supervises: false });
});
afterAll(() => queue.stop(1000));

function ignore(): void {}

/** Starts everything in one process. */
async function open(environment: Readonly<Record<string, string>> = {}): Promise<TestMarketplace> {
  const market = await startMarketplace({ databaseUrl, role: "all", environment });
  onTestFinished(() => market[Symbol.asyncDispose]());
  return market;
}

/** Adds a job that carries nothing, and waits until it is done. */
async function run(job: Exclude<JobName, `order_${string}` | "stock_alert_email">): Promise<void> {
  await withAdministrator(databaseUrl, async (database) => {
    const [id] = await database.transaction((transaction) => queue.enqueue(transaction, job, [{}]));
    const state = "select state::text as state from pgboss.job where id = $1::uuid";
    const now = async () => (await database.query<{ state: string }>(state, [id])).rows[0]?.state;
    await expect.poll(now, { timeout: 10_000 }).toBe("completed");
  });
}

describe("the jobs of stock", { timeout: 30_000 }, () => {
  it("tell the administrator once a day what is low", async () => {
    await using sink = await startSmtpSink();
    const admin = { ADMIN_EMAIL: "boss@example.com", ADMIN_PASSWORD: "correct horse battery" };
    const market = await open({ SMTP_URL: sink.url, ...admin });
    const sale = await openSale(market, 1);
    await buyOne(market, sale);
    await Promise.all([run("low_stock_check"), run("low_stock_check")]);
    await run("low_stock_check");
    const digests = sink.mails.filter(({ to }) => to === "boss@example.com");
    expect(digests.map(({ data }) => data)).toEqual([expect.stringContaining("0 of Talking drum")]);
  });

  it("add up what was moved, so that the check of stock stays cheap", async () => {
    const market = await open();
    await run("inventory_upkeep");
    const { rows } = await market.admin.query("select count(*)::integer as products from inventory_checkpoint");
    const products = (await market.admin.query("select from inventory")).rowCount;
    expect(rows).toEqual([{ products }]);
  });

  it("come by themselves at the times that are listed, however many processes schedule them", async () => {
    const crons = await Promise.all([1, 2, 3].map(() => startMarketplace({ databaseUrl, role: "cron" })));
    const { rows } = await withAdministrator(databaseUrl, (database) =>
      database.query<{ name: string; cron: string }>("select name, cron from pgboss.schedule order by name"),
    );
    await Promise.all(crons.map((cron) => cron[Symbol.asyncDispose]()));
    expect(rows).toEqual([
      { name: "catalog_rollup", cron: "*/5 * * * *" },
      { name: "inventory_cache_sync", cron: "* * * * *" },
      { name: "inventory_upkeep", cron: "23 * * * *" },
      { name: "low_stock_check", cron: "0 6 * * *" },
      { name: "session_gc", cron: "17 * * * *" },
    ]);
    const list = runMarket(["cron", "--list"]);
    expect(await list.ended).toBe(0);
    for (const { name, cron } of rows)
      expect(list.printed()).toContain(`  ${cron.padEnd(12)}  ${name}
`);
  });
});

describeNeeding({ redis: "real" }, "the counters in Redis", () => {
  it("are set right by a job, whatever has become of them", { timeout: 30_000 }, async () => {
    const redis = await launchRedis({ binary: (await findRedis()) ?? "" });
    onTestFinished(() => redis.stop());
    const market = await open({ INVENTORY_REDIS_URL: redis.url });
    const sale = await openSale(market, 9);
    await buyOne(market, sale);
    await using reader = connectRedis(redis.url);
    const hint = () => reader.read("GET", [`stock:${sale.product}`]);
    await expect.poll(hint).toBe("8");
    await setHint(redis.url, sale.product, 1_000_000);
    expect(await hint()).toBe("1000000");
    await run("inventory_cache_sync");
    expect(await hint()).toBe("8");
  });
});
