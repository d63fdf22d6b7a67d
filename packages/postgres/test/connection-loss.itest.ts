import { fromPg, type SqlDatabase, sqlFailure, sqlState, withTransaction } from "@sluice/postgres";
import { fromDrizzle } from "@sluice/postgres/drizzle";
import { fromKysely } from "@sluice/postgres/kysely";
import { drizzle } from "drizzle-orm/node-postgres";
import { Kysely, PostgresDialect } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";

import { databaseUrl, openClient, openPool } from "./support/handles.ts";
import { backendOf, closedPort, openRelay, type Relay, terminate, untilBlocked } from "./support/server.ts";
import { thrownBy } from "./support/thrown.ts";

/** Databases whose connections can be lost, with one connection each. */
const kinds: Readonly<Record<string, (url?: string) => Promise<SqlDatabase>>> = {
  "a pg Pool": async (url) => fromPg(await openPool(one(url))),
  "a pg Client": async (url) => fromPg(await openClient(one(url))),
  "Kysely on pg": async (url) => {
    const pool = await openPool(one(url));
    // Kysely leaves the listening to the pool's owner, and without a listener the loss of a client ends the process.
    pool.on("connect", (client) => client.on("error", () => undefined));
    return fromKysely(new Kysely({ dialect: new PostgresDialect({ pool }) }));
  },
  "Drizzle on node-postgres": async (url) => fromDrizzle(drizzle({ client: await openPool(one(url)) })),
};

function one(url: string | undefined): { max: number; connectionString?: string } {
  return url === undefined ? { max: 1 } : { max: 1, connectionString: url };
}

let watcher: SqlDatabase;
let relay: Relay;
beforeAll(async () => {
  watcher = fromPg(await openPool());
  relay = await openRelay(await databaseUrl());
  await watcher.script(`create table kept (id int);
    create function wait_at_commit() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(new.id); return null; end $$;
    create table held (id int);
    create constraint trigger wait after insert on held deferrable initially deferred
      for each row execute function wait_at_commit()`);
});

async function countKept(id: number): Promise<number> {
  return (await watcher.query("select 1 from kept where id = $1", [id])).rowCount;
}

let ids = 0;
for (const [name, open] of Object.entries(kinds)) {
  // A Client stays lost.
  const afterwards = async (db: SqlDatabase): Promise<unknown> =>
    name === "a pg Client" ? sqlFailure(await thrownBy(db.query("select 1"))) : (await db.query("select 1")).rowCount;
  const usable = name === "a pg Client" ? "unavailable" : 1;

  describe(`when the connection of ${name} is lost`, () => {
    it("applies nothing of a transaction under way and leaves a pool usable", async () => {
      const db = await open();
      ids += 1;
      const work = withTransaction(db, async (tx) => {
        await tx.query(`insert into kept values (${ids})`);
        await terminate(watcher, await backendOf(tx));
        await tx.query("select 1");
      });
      expect(sqlFailure(await thrownBy(work))).toBe("unavailable");
      expect(await countKept(ids)).toBe(0);
      expect(await afterwards(db)).toBe(usable);
    });

    it("keeps the error of the work when ROLLBACK fails as well", async () => {
      const db = await open();
      const refusal = new Error("no");
      const work = db.transaction(async (tx) => {
        await terminate(watcher, await backendOf(tx));
        throw refusal;
      });
      expect(await thrownBy(work)).toBe(refusal);
      expect(await afterwards(db)).toBe(usable);
    });

    it("says that the outcome is unknown when the session dies during COMMIT, and runs nothing again", async () => {
      const db = await open();
      let runs = 0;
      let pid = 0;
      const lockId = (ids += 1);
      const { outcome } = await watcher.transaction(async (blocker) => {
        await blocker.query(`select pg_advisory_xact_lock(${lockId})`);
        const held = thrownBy(
          withTransaction(db, async (tx) => {
            runs += 1;
            pid = await backendOf(tx);
            await tx.query(`insert into held values (${lockId})`);
          }),
        );
        await expect.poll(() => pid).toBeGreaterThan(0);
        await untilBlocked(watcher, pid);
        await terminate(watcher, pid);
        return { outcome: held };
      });
      const error = await outcome;
      expect(error).toMatchObject({ code: "ERR_SLUICE_COMMIT_UNKNOWN" });
      expect(sqlFailure(error)).toBe("commit-unknown");
      expect(runs).toBe(1);
    });

    it("says that the outcome is unknown when the answer to COMMIT is lost, and applies the work once", async () => {
      const db = await open(relay.url);
      const id = (ids += 1);
      const work = withTransaction(db, async (tx) => {
        await tx.query(`insert into kept values (${id})`);
        relay.loseAnswerTo("commit");
      });
      expect(await thrownBy(work)).toMatchObject({ code: "ERR_SLUICE_COMMIT_UNKNOWN" });
      expect(await countKept(id)).toBe(1);
      expect(await afterwards(db)).toBe(usable);
    });
  });
}

it("tells a server that refuses connections from a failing statement", async () => {
  const port = await closedPort();
  for (const host of ["127.0.0.1", "localhost"]) {
    const db = fromPg(await openPool({ connectionString: `postgres://nobody@${host}:${port}/none` }));
    let runs = 0;
    const error = await thrownBy(withTransaction(db, async () => (runs += 1)));
    expect(sqlFailure(error)).toBe("unavailable");
    expect(sqlState(error)).toBeUndefined();
    expect(runs).toBe(0);
  }
});
