import { PGlite } from "@electric-sql/pglite";
import { fromPg, type SqlDatabase } from "@sluice/postgres";
import { connectPostgres } from "@sluice/postgres/connect";
import { fromDrizzle } from "@sluice/postgres/drizzle";
import { fromKysely } from "@sluice/postgres/kysely";
import { fromPglite } from "@sluice/postgres/pglite";
import { createTestDatabase } from "@sluice/testing/vitest";
import { drizzle as drizzleOnPg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOnPglite } from "drizzle-orm/pglite";
import { Kysely, PGliteDialect, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll } from "vitest";

/** A database over one kind of handle, as the laws need it. */
export interface HandleKind {
  readonly name: string;
  /** Its script may hold several statements. */
  readonly scripts: boolean;
  /** It has one session: a call from inside its own transaction is refused. */
  readonly single: boolean;
  /** It can run two transactions at once on a real server. */
  readonly concurrent: boolean;
  /** Opened once per test file. */
  open(): Promise<SqlDatabase>;
}

const closers: (() => Promise<unknown>)[] = [];
// Drops of the databases are registered by the import above, and run after this.
afterAll(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => (opened ??= open());
}

export const databaseUrl = once(createTestDatabase);

/** A pool that survives the loss of idle clients, ended after the test file. */
export async function openPool(options: pg.PoolConfig = {}): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: await databaseUrl(), ...options });
  pool.on("error", () => undefined);
  closers.push(() => pool.end());
  return pool;
}

/** A connected client, ended after the test file. */
export async function openClient(options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await databaseUrl(), ...options });
  client.on("error", () => undefined);
  await client.connect();
  closers.push(() => client.end());
  return client;
}

export const openPglite = once(async () => {
  const pglite = await PGlite.create();
  closers.push(() => pglite.close());
  return pglite;
});

export const handleKinds: readonly HandleKind[] = [
  {
    name: "a pg Pool",
    scripts: true,
    single: false,
    concurrent: true,
    open: once(async () => fromPg(await openPool())),
  },
  {
    name: "connectPostgres",
    scripts: true,
    single: false,
    concurrent: true,
    open: once(async () => {
      const db = connectPostgres({ urls: await databaseUrl() });
      closers.push(() => db.close());
      return db;
    }),
  },
  {
    name: "a pg Client",
    scripts: true,
    single: true,
    concurrent: false,
    open: once(async () => fromPg(await openClient())),
  },
  {
    name: "PGlite",
    scripts: true,
    single: true,
    concurrent: false,
    open: once(async () => fromPglite(await openPglite())),
  },
  {
    name: "Kysely on pg",
    scripts: true,
    single: false,
    concurrent: true,
    open: once(async () => fromKysely(new Kysely({ dialect: new PostgresDialect({ pool: await openPool() }) }))),
  },
  {
    name: "Kysely on PGlite",
    scripts: false,
    single: true,
    concurrent: false,
    open: once(async () => fromKysely(new Kysely({ dialect: new PGliteDialect({ pglite: await openPglite() }) }))),
  },
  {
    name: "Drizzle on node-postgres",
    scripts: true,
    single: false,
    concurrent: true,
    open: once(async () => fromDrizzle(drizzleOnPg({ client: await openPool() }))),
  },
  {
    name: "Drizzle on PGlite",
    scripts: true,
    single: true,
    concurrent: false,
    open: once(async () => fromDrizzle(drizzleOnPglite({ client: await openPglite() }))),
  },
];
