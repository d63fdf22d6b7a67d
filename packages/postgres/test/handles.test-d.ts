import type { PGlite, Transaction as PgliteTransaction } from "@electric-sql/pglite";
import {
  fromPg,
  fromPgTransaction,
  type Sql,
  type SqlDatabase,
  type SqlTransaction,
  withTransaction,
} from "@sluice/postgres";
import { connectPostgres, type Postgres, type PostgresSession } from "@sluice/postgres/connect";
import { fromDrizzle } from "@sluice/postgres/drizzle";
import { fromKysely } from "@sluice/postgres/kysely";
import { fromPglite } from "@sluice/postgres/pglite";
import type { NodePgDatabase } from "drizzle-orm/node-postgres";
import type { PgliteDatabase } from "drizzle-orm/pglite";
import type { Kysely, Transaction } from "kysely";
import type { Client, Pool, PoolClient } from "pg";
import { expectTypeOf, it } from "vitest";

interface Tables {
  readonly person: { readonly id: number };
}
type Handed<Transact extends (work: never, ...rest: never) => unknown> = Parameters<
  Extract<Parameters<Transact>[0], (...given: never) => unknown>
>[0];

it("a handle of a database is a database", () => {
  expectTypeOf(fromPg).toBeCallableWith({} as Pool);
  expectTypeOf(fromPg).toBeCallableWith({} as Client);
  expectTypeOf(fromPg).toBeCallableWith({} as PoolClient);
  expectTypeOf(fromPg({} as Pool)).toEqualTypeOf<SqlDatabase>();
  expectTypeOf(fromPglite({} as PGlite)).toEqualTypeOf<SqlDatabase>();
  expectTypeOf(fromKysely({} as Kysely<Tables>)).toEqualTypeOf<SqlDatabase>();
  expectTypeOf(fromDrizzle({} as NodePgDatabase & { $client: Pool })).toEqualTypeOf<SqlDatabase>();
  expectTypeOf(fromDrizzle({} as PgliteDatabase & { $client: PGlite })).toEqualTypeOf<SqlDatabase>();
});

it("a cluster, a session on it and reads of it are databases", () => {
  expectTypeOf(connectPostgres({ urls: "postgres://db/shop" })).toEqualTypeOf<Postgres>();
  expectTypeOf<Postgres>().toExtend<SqlDatabase & AsyncDisposable>();
  expectTypeOf<PostgresSession>().toExtend<SqlDatabase>();
  expectTypeOf({} as Postgres)
    .toHaveProperty("read")
    .returns.toEqualTypeOf<SqlDatabase>();
  // @ts-expect-error -- the hosts have to be named
  expectTypeOf(connectPostgres).toBeCallableWith({});
});

it("a handle of a transaction is a transaction", () => {
  expectTypeOf(fromPgTransaction({} as PoolClient)).toEqualTypeOf<SqlTransaction>();
  expectTypeOf(fromPglite({} as PgliteTransaction)).toEqualTypeOf<SqlTransaction>();
  expectTypeOf(fromKysely({} as Transaction<Tables>)).toEqualTypeOf<SqlTransaction>();
  expectTypeOf(fromDrizzle({} as Handed<NodePgDatabase["transaction"]>)).toEqualTypeOf<SqlTransaction>();
  expectTypeOf(fromDrizzle({} as Handed<PgliteDatabase["transaction"]>)).toEqualTypeOf<SqlTransaction>();
});

it("a database is no transaction and a transaction is no database", () => {
  expectTypeOf<SqlDatabase>().not.toExtend<SqlTransaction>();
  expectTypeOf<SqlTransaction>().not.toExtend<SqlDatabase>();
  expectTypeOf<SqlDatabase | SqlTransaction>().toExtend<Sql>();
});

it("a transaction cannot be rerun by whoever joined it", () => {
  // @ts-expect-error -- only a database begins transactions
  void withTransaction({} as SqlTransaction, async () => 1);
  expectTypeOf(withTransaction({} as SqlDatabase, async (_, { attempt }) => attempt)).resolves.toBeNumber();
});
