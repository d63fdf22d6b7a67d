import { createHash } from "node:crypto";

import type { Sql } from "@sluice/postgres";

import type { Row } from "./people.ts";
import type { SeedTable } from "./seed-tables.ts";

/** What a table was filled with. Two machines that agree on it hold the same rows. */
export interface TableDigest {
  readonly table: string;
  readonly rows: number;
  /** Of every row as JSON, one per line, in the order of their making. */
  readonly sha256: string;
}

const batchRows = 1000;

/** The digest of a table, without a database. */
export function digestOf({ name, rows }: SeedTable): TableDigest {
  const digest = createDigest();
  for (const row of rows) digest.add(row);
  return digest.result(name);
}

/** Fills a table, a thousand rows per statement. */
export async function loadTable(sql: Sql, table: SeedTable, loaded: (rows: number) => void): Promise<TableDigest> {
  const digest = createDigest();
  const insert = insertInto(table);
  let batch: Row[] = [];
  let rows = 0;
  const flush = async (): Promise<void> => {
    await sql.query(insert, columnsOf(batch));
    rows += batch.length;
    batch = [];
    loaded(rows);
  };
  for (const row of table.rows) {
    digest.add(row);
    if (batch.push(row) === batchRows) await flush();
  }
  if (batch.length > 0) await flush();
  return digest.result(table.name);
}

function insertInto({ name, columns }: SeedTable): string {
  const arrays = Object.values(columns).map((type, index) => `$${index + 1}::${type}[]`);
  return `insert into ${name} (${Object.keys(columns).join(", ")}) select * from unnest(${arrays.join(", ")})`;
}

function columnsOf(rows: readonly Row[]): unknown[][] {
  return (rows[0] ?? []).map((_value, column) => rows.map((row) => row[column]));
}

function createDigest() {
  const hash = createHash("sha256");
  let rows = 0;
  return {
    add(row: Row) {
      rows += 1;
      hash.update(`${JSON.stringify(row)}\n`);
    },
    result: (table: string): TableDigest => ({ table, rows, sha256: hash.digest("hex") }),
  };
}
