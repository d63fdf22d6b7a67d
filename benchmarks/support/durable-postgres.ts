import { inventoryMigrations } from "@sluice/inventory/postgres";
import { fromPg, migrate, type SqlDatabase } from "@sluice/postgres";
import { startPostgres } from "@sluice/testing/services";
import pg from "pg";

/** A PostgreSQL of one's own that loses nothing: fsync and synchronous_commit are on. */
export interface DurablePostgres extends AsyncDisposable {
  /** A pool of so many connections. */
  pool(connections: number): { readonly pool: pg.Pool; readonly db: SqlDatabase };
}

/** Starts it, with the tables of the inventory. */
export async function startDurablePostgres(): Promise<DurablePostgres> {
  const server = await startPostgres({ origin: "local", durable: true });
  const pools: pg.Pool[] = [];
  const open = (connections: number) => {
    const pool = new pg.Pool({ connectionString: server.url, max: connections });
    // The server ends the sessions that are left when it stops.
    pool.on("error", () => undefined);
    pools.push(pool);
    return { pool, db: fromPg(pool) };
  };
  const { db } = open(1);
  const { rows } = await db.query(
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit",
  );
  if (JSON.stringify(rows) !== '[{"fsync":"on","commit":"on"}]')
    throw new Error(`not durable: ${JSON.stringify(rows)}`);
  await migrate(db, { package: "inventory", migrations: await inventoryMigrations() });
  return {
    pool: open,
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.end()));
      await server.stop();
    },
  };
}
