import { frozen } from "@sluice/testing/faults";
import {
  findEmbeddedPostgres,
  findPostgres,
  startPostgresReplica,
  type PostgresReplica,
} from "@sluice/testing/services";
import { afterAll, beforeAll, expect, it } from "vitest";

import { failureOf } from "../src/http/failure-of.ts";
import { createQueue } from "../src/infra/queue.ts";
import { seedDatabaseAt, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";

let servers: PostgresReplica;
let market: TestMarketplace;
beforeAll(async () => {
  const native = (await findPostgres()) ?? (await findEmbeddedPostgres()) ?? "";
  const settings = { fsync: "off", full_page_writes: "off", shared_buffers: "32MB" };
  servers = await startPostgresReplica({ native, settings });
  const { primary, replica } = servers;
  await seedDatabaseAt(primary.url);
  // Every request is to need the database.
  const environment = { DB_MAX_LAG_MS: "2000", DB_POOL_TIMEOUT_MS: "1000", ENABLE_CACHE: "false" };
  // In any order.
  const databases = { databaseUrl: replica.url, replicaUrls: [primary.url] };
  market = await startMarketplace({ ...databases, role: "all", environment });
});
afterAll(async () => {
  await market?.[Symbol.asyncDispose]();
  await servers?.stop();
});

const list = "/api/products?limit=3";

/** How many reads went there, by the metrics. */
async function reads(labels: string): Promise<number> {
  const text = await (await fetch(`${market.url}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`db_route_total{${labels}}`))
      ?.split(" ")
      .at(-1) ?? 0,
  );
}

/** Reads without a pause, and keeps what came and how long the slowest took. */
function readOn() {
  const answers: Answer[] = [];
  const stopping = new AbortController();
  let slowestMs = 0;
  async function read(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedMs = performance.now();
      answers.push(await market.get(list));
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
  }
  const readers = Promise.all([read(), read()]);
  return {
    answers,
    slowestMs: () => slowestMs,
    async stop() {
      stopping.abort();
      await readers;
    },
  };
}

const ready = async (): Promise<unknown> => {
  const { status, body } = await market.get("/health/ready");
  return status === 200 ? (body.data as { checks: { database: object } }).checks.database : status;
};
const write = () =>
  market.app.database.sql.query("update products set version = version + 1 where status = 'archived'").then(
    () => "written",
    (error: unknown) => error,
  );

it("reads are from the replica, and from the primary as soon as it does not answer", async () => {
  await expect
    .poll(() => market.get(list).then(() => reads('target="replica"')), { timeout: 10_000 })
    .toBeGreaterThan(0);
  const reading = readOn();
  await frozen(
    servers.replica.pid,
    () => expect.poll(() => reads('target="primary",reason="replica_down"'), { timeout: 10_000 }).toBeGreaterThan(5),
    { tree: true },
  );
  await reading.stop();
  expect(new Set(reading.answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(reading.slowestMs()).toBeLessThan(5000);
});

it("who has counted the catalog shows the new counts at once, also while the replica does not have them", async () => {
  await servers.lag(500);
  const before = await reads('target="replica"');
  await expect
    .poll(() => market.get(list).then(() => reads('target="replica"')), { timeout: 10_000 })
    .toBeGreaterThan(before);
  const text = "select max(computed_at)::text as time from marketplace.category_rollups";
  const written = () => market.app.database.sql.query<{ time: string | null }>(text).then(({ rows }) => rows[0]?.time);
  const [shown, stored] = [await shownCount(), await written()];
  await enqueueCount();
  await expect.poll(written, { timeout: 10_000, interval: 5 }).not.toBe(stored);
  expect(await shownCount()).not.toBe(shown);
  await servers.lag(0);
});

it("a lost primary costs writes until a replica is promoted, and reads only what they may not be", async () => {
  const before = await reads('target="replica"');
  await expect
    .poll(() => market.get(list).then(() => reads('target="replica"')), { timeout: 10_000 })
    .toBeGreaterThan(before);
  const reading = readOn();
  await servers.stopPrimary("kill");
  // Without a primary nobody knows how old the replica is, so it answers for as long as it is surely fresh enough.
  expect(await ready()).toMatchObject({ ok: true, writable: false });
  const refused = await write();
  expect(refused).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNAVAILABLE" });
  expect(failureOf(refused)).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  expect((await market.get(list)).status).toBe(200);

  await expect.poll(() => market.get(list), { timeout: 10_000 }).toMatchObject({ status: 503 });
  expect(await market.get(list)).toMatchObject({ body: { error: { code: "DATABASE_UNAVAILABLE" } } });
  expect((await market.get(list)).headers.get("retry-after")).toBe("1");
  expect(await ready()).toBe(503);

  await servers.promote();
  const promotedMs = performance.now();
  await expect.poll(write, { timeout: 10_000 }).toBe("written");
  await expect.poll(() => market.get(list), { timeout: 10_000 }).toMatchObject({ status: 200 });
  console.log(`reads and writes ${Math.round(performance.now() - promotedMs)} ms after the promotion`);
  expect(await ready()).toMatchObject({ writable: true });
  await reading.stop();
  const failures = reading.answers.filter(({ status }) => status !== 200);
  expect(new Set(failures.map(({ status, body }) => `${status} ${body.error.code}`))).toEqual(
    new Set(["503 DATABASE_UNAVAILABLE"]),
  );
  expect(reading.slowestMs()).toBeLessThan(5000);
});

it("jobs run on the new primary", async () => {
  const before = await shownCount();
  await enqueueCount();
  await expect.poll(shownCount, { timeout: 10_000 }).not.toBe(before);
});

/** When the catalog was counted, as a client sees it. */
async function shownCount(): Promise<string | null> {
  const { body } = await market.get("/api/categories");
  return (body.data as { counted_at: string | null }).counted_at;
}

async function enqueueCount(): Promise<void> {
  const log = { info: ignore, warn: ignore, error: ignore, debug: ignore };
  const urls = [servers.primary.url, servers.replica.url];
  const queue = await createQueue({ urls, log, schedules: false, supervises: false });
  await market.app.database.sql.transaction((transaction) => queue.enqueue(transaction, "catalog_rollup", [{}]));
  await queue.stop(1000);
}

function ignore(): void {}
