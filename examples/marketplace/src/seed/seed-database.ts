import type { SqlDatabase, SqlTransaction } from "@sluice/postgres";

import { seedingStock } from "../infra/inventory.ts";
import { loadTable, type TableDigest } from "./load-table.ts";
import type { Progress } from "./progress.ts";
import { seedTables, type FilledSize } from "./seed-tables.ts";
import { loadStock } from "./stock.ts";

/** What a database was seeded with, and whether this call did it. */
export interface SeedReport {
  readonly size: string;
  readonly digests: readonly TableDigest[];
  readonly byThisCall: boolean;
}

/** What to do when a database is seeded. */
export interface SeedOptions {
  readonly size: FilledSize;
  readonly progress: Progress;
  /** Runs in the same transaction, after the rows. */
  readonly whenSeeded: (transaction: SqlTransaction) => Promise<unknown>;
}

const lockKey = "hashtextextended('marketplace seed', 0)";

/**
 * Fills an empty database, in one transaction: a start that is killed leaves nothing. Of several processes that try at
 * once one does it, and the others wait for it. A database that was seeded once is left alone, whatever the size.
 *
 * @returns undefined when the database has rows that are not seed data.
 */
export async function seedDatabase(database: SqlDatabase, options: SeedOptions): Promise<SeedReport | undefined> {
  const known = await reportOf(database);
  if (known !== undefined) return known;
  const seeded = await database.transaction(async (transaction) => {
    await transaction.query(`select pg_advisory_xact_lock(${lockKey})`);
    return (await reportOf(transaction)) ?? (await fill(transaction, options, seedingStock(database)));
  });
  if (seeded?.byThisCall === true) await database.script("analyze");
  return seeded;
}

async function reportOf(sql: Pick<SqlDatabase, "query">): Promise<SeedReport | undefined> {
  const { rows } = await sql.query<Omit<SeedReport, "byThisCall">>("select size, digests from seed_runs");
  return rows[0] && { ...rows[0], byThisCall: false };
}

async function fill(
  sql: SqlTransaction,
  { size, progress, whenSeeded }: SeedOptions,
  stock: ReturnType<typeof seedingStock>,
): Promise<SeedReport | undefined> {
  const { rows } = await sql.query(
    "select 1 from users where role <> 'admin' union all select 1 from categories limit 1",
  );
  if (rows.length > 0) return undefined;
  const digests: TableDigest[] = [];
  for (const table of seedTables(size)) {
    digests.push(await loadTable(sql, table, (done) => progress.update(table.name, done, table.count)));
  }
  await loadStock(stock, sql, digests.find(({ table }) => table === "products")?.rows ?? 0);
  progress.end();
  await sql.query("insert into seed_runs (size, digests) values ($1, $2::jsonb)", [size, JSON.stringify(digests)]);
  await whenSeeded(sql);
  return { size, digests, byThisCall: true };
}
