import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { migrate, type Migration, readMigrations, type SqlDatabase } from "@sluice/postgres";
import { describe, expect, it, onTestFinished } from "vitest";

import { thrownBy } from "./support/thrown.ts";

async function folderWith(files: Readonly<Record<string, string>>): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), "sluice migrations#"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return pathToFileURL(`${folder}/`);
}

describe("a folder of migrations", () => {
  it("is read in the order of the numbers, other files left alone", async () => {
    const folder = await folderWith({
      "0010_b.sql": "select 10",
      "0002_a.sql": "select 'é'",
      "README.md": "no",
      "0001_x.sql.bak": "no",
    });
    expect(await readMigrations(folder)).toEqual([
      { name: "0002_a", sql: "select 'é'" },
      { name: "0010_b", sql: "select 10" },
    ]);
  });

  it.each([
    { "1_a.sql": "select 1" },
    { "0001_A.sql": "select 1" },
    { "0001-a.sql": "select 1" },
    { "0001_a.sql": "select 1", "0001_b.sql": "select 1" },
    { "0001_a.sql": " \n" },
  ])("is refused when a file has a bad name, a number twice, or no SQL: %j", async (files) => {
    const error = await thrownBy(readMigrations(await folderWith(files)));
    expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "migrations" });
  });
});

describe("migrate", () => {
  const one: Migration = { name: "0001_a", sql: "select 1" };
  const two: Migration = { name: "0002_b", sql: "select 1" };

  it.each([
    ["package", { package: "" }],
    ["package", { package: "postgres" }],
    ["package", { package: "My Package" }],
    ["schema", { schema: "" }],
    ["schema", { schema: 'a"; drop schema public; --' }],
    ["schema", { schema: "pg_temp" }],
    ["schema", { schema: "a".repeat(64) }],
    ["lockTimeout", { lockTimeout: "soon" as "1s" }],
    ["lockTimeout", { lockTimeout: 0 }],
    ["migrations", { migrations: [two, one] }],
    ["migrations", { migrations: [one, one] }],
    ["migrations", { migrations: [one, { ...two, name: "0001_b" }] }],
    ["migrations", { migrations: [{ ...one, name: "0001_a; drop" }] }],
    ["migrations", { migrations: [{ ...one, name: `0001_${"a".repeat(60)}` }] }],
    ["migrations", { migrations: [{ ...one, sql: "" }] }],
    ["migrations", { migrations: [{ ...one, sql: "select '\0'" }] }],
  ])("refuses an invalid %s before it asks the database: %j", async (argument, options) => {
    const untouched = {} as SqlDatabase;
    const error = await thrownBy(migrate(untouched, { package: "demo", migrations: [one], ...options }));
    expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
  });
});
