import { createTestDatabase, service } from "@sluice/testing/vitest";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { runTests } from "./run-tests.ts";

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe("a test database", () => {
  it("is empty and nobody else's", async () => {
    const urls = await Promise.all([createTestDatabase(), createTestDatabase()]);
    expect(new Set(urls.map((url) => new URL(url).pathname)).size).toBe(2);
    const tables = "select tablename from pg_tables where schemaname = 'public'";
    expect(await query(urls[0], tables)).toEqual([]);
  });

  it("is dropped after its test file, though somebody is still connected", async () => {
    const { status, text } = runTests("database", { DATABASE_URL: service("postgres").url });
    expect(text).toMatch(/made sluice_test_\w+/);
    expect(status).toBe(0);
    const name = /made (sluice_test_\w+)/.exec(text)?.[1];
    expect(await query(service("postgres").url, `select from pg_database where datname = '${name}'`)).toEqual([]);
  });
});
