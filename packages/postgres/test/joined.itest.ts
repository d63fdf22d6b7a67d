import { fromPg, fromPgTransaction, type SqlTransaction } from "@sluice/postgres";
import { fromDrizzle } from "@sluice/postgres/drizzle";
import { fromKysely } from "@sluice/postgres/kysely";
import { fromPglite } from "@sluice/postgres/pglite";
import { drizzle as drizzleOnPg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOnPglite } from "drizzle-orm/pglite";
import { CamelCasePlugin, Kysely, PostgresDialect } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";

import { openClient, openPglite, openPool } from "./support/handles.ts";

/** Runs `work` in a transaction that the user began by means of the driver. */
type Join = (work: (joined: SqlTransaction) => Promise<void>) => Promise<void>;

async function bracket(client: { query(text: string): Promise<unknown> }, work: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

const joins: Readonly<Record<string, () => Promise<Join>>> = {
  "a pg Client": async () => {
    const client = await openClient();
    return (work) => bracket(client, () => work(fromPgTransaction(client)));
  },
  "a client of a pg Pool": async () => {
    const pool = await openPool();
    return async (work) => {
      const client = await pool.connect();
      try {
        await bracket(client, () => work(fromPgTransaction(client)));
      } finally {
        client.release();
      }
    };
  },
  PGlite: async () => {
    const pglite = await openPglite();
    return (work) => pglite.transaction((tx) => work(fromPglite(tx)));
  },
  Kysely: async () => {
    const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: await openPool() }) });
    return (work) => kysely.transaction().execute((trx) => work(fromKysely(trx)));
  },
  "Drizzle on node-postgres": async () => {
    const db = drizzleOnPg({ client: await openPool() });
    return (work) => db.transaction((tx) => work(fromDrizzle(tx)));
  },
  "Drizzle on PGlite": async () => {
    const db = drizzleOnPglite({ client: await openPglite() });
    return (work) => db.transaction((tx) => work(fromDrizzle(tx)));
  },
};

async function count(join: Join): Promise<number> {
  let found = -1;
  await join(async (tx) => {
    found = (await tx.query<{ n: number }>("select count(*)::int as n from joined")).rows[0]?.n ?? -1;
  });
  return found;
}

beforeAll(async () => {
  for (const db of [fromPg(await openPool()), fromPglite(await openPglite())]) {
    await db.query("create table joined (id int)");
  }
}, 60_000);

for (const [name, open] of Object.entries(joins)) {
  describe(`a transaction that was begun on ${name}`, () => {
    it("applies what a primitive wrote in it when its owner commits", async () => {
      const join = await open();
      const before = await count(join);
      await join(async (tx) => void (await tx.query("insert into joined values (1)")));
      expect(await count(join)).toBe(before + 1);
    });

    it("takes back what a primitive wrote in it when its owner rolls back", async () => {
      const join = await open();
      const before = await count(join);
      const refusal = new Error("no");
      const work = join(async (tx) => {
        await tx.query("insert into joined values (1)");
        throw refusal;
      });
      await expect(work).rejects.toBe(refusal);
      expect(await count(join)).toBe(before);
    });

    it("refuses its handle once it has ended", async () => {
      const join = await open();
      const before = await count(join);
      let kept: SqlTransaction | undefined;
      await join(async (tx) => void (kept = tx));
      const late = kept?.query("insert into joined values (1)");
      await expect(late).rejects.toMatchObject({ code: "ERR_SLUICE_TRANSACTION_ENDED" });
      expect(await count(join)).toBe(before);
    });
  });
}

it("refuses a handle whose pooled client has since begun another's transaction", async () => {
  const pool = await openPool({ max: 1 });
  const db = drizzleOnPg({ client: pool });
  let kept: SqlTransaction | undefined;
  await db.transaction(async (tx) => void (kept = fromDrizzle(tx)));
  await db.transaction(async () => {
    const late = kept?.query("insert into joined values (1)");
    await expect(late).rejects.toMatchObject({ code: "ERR_SLUICE_TRANSACTION_ENDED" });
  });
});

it("leaves column names alone under a Kysely plugin", async () => {
  const dialect = new PostgresDialect({ pool: await openPool() });
  const kysely = new Kysely<unknown>({ dialect, plugins: [new CamelCasePlugin()] });
  await kysely.transaction().execute(async (trx) => {
    const { rows } = await fromKysely(trx).query("select 1 as snake_case");
    expect(rows).toEqual([{ snake_case: 1 }]);
  });
  expect((await fromKysely(kysely).query("select 1 as snake_case")).rows).toEqual([{ snake_case: 1 }]);
});

it("refuses to begin a transaction where the user has begun one", async () => {
  const client = await openClient();
  await client.query("begin");
  const nested = fromPg(client).transaction((tx) => tx.query("select 1"));
  await expect(nested).rejects.toMatchObject({ code: "ERR_SLUICE_NESTED_USE" });
  await client.query("rollback");
});

it("refuses a Drizzle handle on another driver", () => {
  const elsewhere = { $client: {} as never };
  expect(() => fromDrizzle(elsewhere)).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT" }));
});
