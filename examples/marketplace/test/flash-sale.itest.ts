import { findRedis, launchRedis } from "@sluice/testing/services";
import { describeNeeding, service } from "@sluice/testing/vitest";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";

import type { Report } from "../src/demo/report.ts";
import { runDemo } from "./support/process.ts";

/** Small, quick, and on the tests' own PostgreSQL. */
async function demonstrate(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const demo = runDemo(args, { DATABASE_URL: service("postgres").url, ...environment });
  const code = await demo.ended;
  return { code, printed: demo.printed(), logged: demo.logged() };
}

function reportOf({ printed, logged }: { readonly printed: string; readonly logged: string }): Report {
  if (!printed.startsWith("{")) throw new Error(`${printed}${logged}`);
  return JSON.parse(printed) as Report;
}

const small = ["--sockets", "40", "--payment-ms", "20", "--json"];

describe("the demonstration of a flash sale", () => {
  it("sells exactly what there is, beside a naive sale that counts what it oversold", async () => {
    const run = await demonstrate(["--buyers", "150", "--units", "30", ...small]);
    const { sluice, naive } = reportOf(run);
    expect([run.code, run.logged]).toEqual([0, ""]);
    expect(sluice).toMatchObject({
      sold: 30,
      refused: 120,
      oversold: 0,
      lost: 0,
      violations: 0,
      others: {},
      repeats: 0,
    });
    for (const { p50, p95, p99 } of [sluice.accepted, sluice.server].filter((spread) => spread !== undefined)) {
      expect([p50 > 0, p50 <= p95, p95 <= p99]).toEqual([true, true, true]);
    }
    expect(naive?.sold).toBeGreaterThanOrEqual(30);
    expect(naive).toMatchObject({ oversold: (naive?.sold ?? 0) - 30, lost: 0 });
    expect(await databasesLeft()).toEqual([]);
  }, 60_000);

  it("sells to everybody where there is enough, on a PostgreSQL of its own, and shows it to a person", async () => {
    const run = await demonstrate(["--buyers", "20", "--units", "90", "--sockets", "10", "--no-naive"], {
      DATABASE_URL: "",
    });
    expect([run.code, run.logged]).toEqual([0, ""]);
    expect(run.printed).toContain("The database is a PostgreSQL of its own");
    expect(run.printed).toMatch(/sold +20\n +refused +0\n +oversold +0\n/);
    expect(run.printed).toMatch(/On this machine.*\n +accepted, as the server sees it +p50/);
  }, 60_000);

  it("ends in time, and with 1, when units are left that somebody wanted", async () => {
    // More than one connection can carry in a second.
    const run = await demonstrate([
      "--buyers",
      "3000",
      "--units",
      "3000",
      "--sockets",
      "1",
      "--within",
      "1",
      "--json",
      "--no-naive",
    ]);
    const { sluice } = reportOf(run);
    expect(sluice).toMatchObject({ oversold: 0, lost: 0, violations: 0 });
    expect(sluice.others["no answer in time"]).toBeGreaterThan(0);
    expect([run.code, run.logged]).toEqual([1, `${sluice.sold} units were sold, not 3000.\n`]);
  }, 60_000);

  it("says what is wrong with its options, and begins nothing", async () => {
    expect(await demonstrate(["--buyers", "many"])).toMatchObject({ code: 1, printed: "" });
    expect((await demonstrate(["--help"])).printed).toContain("--payment-ms");
  });
});

describeNeeding({ redis: "real" }, "the demonstration of a flash sale with Redis", () => {
  it("leaves the same totals", async () => {
    const binary = await findRedis();
    if (binary === undefined) throw new Error("There is no redis-server on this machine.");
    const redis = await launchRedis({ binary });
    onTestFinished(() => redis.stop());
    const run = await demonstrate(["--buyers", "100", "--units", "20", "--no-naive", ...small], {
      REDIS_URL: redis.url,
    });
    expect(reportOf(run).sluice).toMatchObject({ sold: 20, refused: 80, oversold: 0, lost: 0, violations: 0 });
    expect(run.code).toBe(0);
  }, 60_000);
});

async function databasesLeft(): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: service("postgres").url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    "select datname as name from pg_database where datname like 'flash\\_sale\\_%'",
  );
  await client.end();
  return rows.map(({ name }) => name);
}
