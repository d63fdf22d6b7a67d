import { service } from "@sluice/testing/vitest";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seededDatabase, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";

let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
});

/** Holds every reader of products back until it is disposed of. */
async function holdProducts(): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("begin; lock table marketplace.products in access exclusive mode");
  return {
    async [Symbol.asyncDispose]() {
      await client.query("rollback");
      await client.end();
    },
  };
}

/** The sessions that wait for a lock, once there are `count` of them. */
async function waiting(market: TestMarketplace, count: number): Promise<number[]> {
  const text = `select pid from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database() and application_name = 'marketplace'`;
  for (;;) {
    const { rows } = await market.admin.query<{ pid: number }>(text);
    if (rows.length === count) return rows.map(({ pid }) => pid);
  }
}

describe("a database in trouble", () => {
  let market: TestMarketplace;
  beforeAll(async () => {
    // Every request is to need the database.
    const environment = {
      DB_POOL_MAX: "2",
      DB_POOL_TIMEOUT_MS: "300",
      STATEMENT_TIMEOUT_MS: "2000",
      ENABLE_CACHE: "false",
    };
    market = await startMarketplace({ databaseUrl, environment });
  });
  afterAll(() => market[Symbol.asyncDispose]());

  it("gives 503 in time when the pool is exhausted, and stays ready", async () => {
    let first: Promise<Answer>[];
    {
      await using hold = await holdProducts();
      expect(hold).toBeDefined();
      first = [market.get("/api/products"), market.get("/api/products")];
      await waiting(market, 2);
      const startedMs = performance.now();
      const reply = await market.get("/api/categories");
      expect(reply).toMatchObject({ status: 503, body: { error: { code: "DATABASE_UNAVAILABLE" } } });
      expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(performance.now() - startedMs).toBeLessThan(1500);
      expect((await market.get("/health/ready")).status).toBe(200);
    }
    for (const one of first) expect((await one).status).toBe(200);
  });

  it("gives 504 when a statement takes too long, and recovers", async () => {
    {
      await using hold = await holdProducts();
      expect(hold).toBeDefined();
      const reply = await market.get("/api/products");
      expect(reply).toMatchObject({ status: 504, body: { error: { code: "STATEMENT_TIMEOUT" } } });
    }
    expect((await market.get("/api/products")).status).toBe(200);
  });

  it("gives 503 when the connection is cut in the middle, and recovers", async () => {
    {
      await using hold = await holdProducts();
      expect(hold).toBeDefined();
      const cut = market.get("/api/products");
      const [pid] = await waiting(market, 1);
      await market.admin.query("select pg_terminate_backend($1::integer)", [pid]);
      expect(await cut).toMatchObject({ status: 503, body: { error: { code: "DATABASE_UNAVAILABLE" } } });
    }
    expect((await market.get("/api/products")).status).toBe(200);
  });

  it("logs slow statements as text without values", async () => {
    await using slow = await startMarketplace({ databaseUrl, environment: { SLOW_QUERY_MS: "0" } });
    await slow.get("/api/products/search?q=hunter2");
    const line = slow.log.lines.find(
      ({ message, query }) => message === "Slow query" && String(query).includes("ts_rank_cd"),
    );
    expect(line).toMatchObject({ duration_ms: expect.any(Number) });
    expect(JSON.stringify(line)).not.toMatch(/hunter2|english/);
  });
});

/** Lets nobody into a database any more, and those who are in out. */
async function shut(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const client = new pg.Client({ connectionString: service("postgres").url });
  await client.connect();
  await client.query(`alter database ${name} allow_connections false`);
  await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
  await client.end();
}

describe("health", () => {
  it("is not ready without a database, but alive", async () => {
    await using market = await startMarketplace({ role: "worker", databaseUrl: await seededDatabase() });
    expect((await market.get("/health/ready")).status).toBe(200);
    await shut(market.databaseUrl);
    expect(await market.get("/health/ready")).toMatchObject({ status: 503, body: { error: { code: "NOT_READY" } } });
    expect([(await market.get("/health/live")).status, (await market.get("/healthz")).status]).toEqual([200, 200]);
  });

  it("is not ready as soon as the process drains", async () => {
    await using market = await startMarketplace({ databaseUrl });
    market.app.drain();
    expect((await market.get("/health/ready")).status).toBe(503);
    expect((await market.get("/health/live")).status).toBe(200);
    expect((await market.get("/api/products")).status).toBe(200);
  });

  it("is all that a worker serves, with metrics where they are on", async () => {
    const environment = { ENABLE_METRICS: "false" };
    await using market = await startMarketplace({ role: "cron", databaseUrl, environment });
    expect((await market.get("/health/live")).status).toBe(200);
    expect((await market.get("/api/products")).status).toBe(404);
    expect((await market.get("/metrics")).status).toBe(404);
  });
});
