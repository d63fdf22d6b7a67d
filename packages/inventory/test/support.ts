import { fromPg, migrate, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";
import { installSkewedClock } from "@sluice/testing/services";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";

import type { InventoryStore } from "../src/index.ts";
import { inventoryMigrations, postgresStore, type PostgresStoreOptions } from "../src/postgres.ts";

/** A database with the tables of this package, whose time a test moves. */
export interface TestStock extends AsyncDisposable {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly db: SqlDatabase;
  readonly store: InventoryStore<SqlTransaction>;
  /** Lets time pass, by the clock of the database. */
  pass(ms: number): Promise<void>;
  /** Empties all tables. */
  clear(): Promise<void>;
}

export function quietPool(url: string, max = 20): pg.Pool {
  // A session that idles stays, as one that is just being ended cannot be told what time it is.
  const pool = new pg.Pool({ connectionString: url, max, idleTimeoutMillis: 0 });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

export async function openStock({ schema = "sluice", plain = false }: PostgresStoreOptions = {}): Promise<TestStock> {
  const url = await createTestDatabase();
  const pool = quietPool(url);
  const clients = new Set<pg.PoolClient>();
  let skewMs = 0;
  const setSkew = (client: pg.PoolClient) => client.query(`set sluice.skew = '${skewMs} milliseconds'`);
  pool.on("connect", (client) => {
    clients.add(client);
    setSkew(client).catch(() => undefined);
  });
  pool.on("remove", (client) => clients.delete(client));
  const db = fromPg(pool);
  await migrate(db, { package: "inventory", schema, migrations: await inventoryMigrations({ functions: !plain }) });
  await installSkewedClock(pool, schema);
  return {
    url,
    pool,
    db,
    store: postgresStore(db, { schema, plain }),
    async pass(ms) {
      skewMs += ms;
      await Promise.all([...clients].map(setSkew));
    },
    async clear() {
      const tables = ["", "_reservation", "_line", "_movement", "_movement_archive", "_checkpoint", "_outbox"];
      await db.script(`truncate ${tables.map((table) => `${schema}.inventory${table}`).join(", ")}`);
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
