import { fromPg, sqlFailure, type SqlTransaction, sqlState } from "@sluice/postgres";
import { describe, expect, it } from "vitest";

import { openClient, openPool } from "./support/handles.ts";
import { backendOf, terminate, until } from "./support/server.ts";
import { thrownBy } from "./support/thrown.ts";

async function runSlowly(tx: SqlTransaction): Promise<void> {
  await tx.query("set local statement_timeout = '20ms'");
  await tx.query("select pg_sleep(30)");
}

function write(who: string): (tx: SqlTransaction) => Promise<void> {
  return async (tx) => {
    for (let step = 0; step < 3; step += 1) await tx.query("insert into log (who) values ($1)", [who]);
  };
}

describe("a pg Pool", () => {
  it("reports an exhausted pool as unavailable", async () => {
    const pool = await openPool({ max: 2 });
    const db = fromPg(pool);
    await db.transaction(() =>
      db.transaction(async () => {
        // Only now that both clients are connected, so that a slow machine is not taken for an exhausted pool.
        pool.options.connectionTimeoutMillis = 30;
        expect(sqlFailure(await thrownBy(db.query("select 1")))).toBe("unavailable");
        expect(sqlFailure(await thrownBy(db.transaction(async () => 1)))).toBe("unavailable");
      }),
    );
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("refuses a call that waits for the only client of its own transaction", async () => {
    const db = fromPg(await openPool({ max: 1 }));
    const error = await thrownBy(db.transaction(() => db.query("select 1")));
    expect(error).toMatchObject({ code: "ERR_SLUICE_NESTED_USE" });
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("keeps a client whose statement the server refused", async () => {
    const db = fromPg(await openPool({ max: 1 }));
    const before = await backendOf(db);
    await thrownBy(db.query("select 1 / 0"));
    for (const params of [[1, 2], Array.from({ length: 70_000 }, () => 1)]) {
      // A caller's mistake must not look like an outage.
      const error = await thrownBy(db.query("select $1::text", params));
      expect([sqlState(error), sqlFailure(error)]).toEqual(["08P01", "other"]);
    }
    await thrownBy(db.transaction((tx) => tx.query("select 1 / 0")));
    await thrownBy(db.transaction(async (tx) => void (await tx.query("select 1 / 0").catch(() => undefined))));
    expect(await backendOf(db)).toBe(before);
  });

  it("never hands out a client whose transaction was left open", async () => {
    const db = fromPg(await openPool({ max: 1 }));
    const before = await backendOf(db);
    await db.script("begin; create table never_committed (id int)");
    expect(await backendOf(db)).not.toBe(before);
    expect((await db.query("select to_regclass('never_committed') as found")).rows).toEqual([{ found: null }]);
  });

  it("never hands out a client whose statement got no answer in time", async () => {
    const db = fromPg(await openPool({ max: 1, query_timeout: 1000 }));
    const before = await backendOf(db);
    const error = await thrownBy(db.query("select pg_sleep(30)"));
    expect(sqlFailure(error)).toBe("timeout");
    expect(await backendOf(db)).not.toBe(before);
  });

  it("never hands out a client whose session the server has ended", async () => {
    const pool = await openPool({ max: 1 });
    const db = fromPg(pool);
    const watcher = fromPg(await openPool());
    const before = await backendOf(db);
    const ended = thrownBy(db.query("select pg_sleep(30)"));
    // Before its socket closes.
    const seen = ended.then((error) => [sqlState(error), pool.totalCount]);
    await terminate(watcher, before);
    expect(await seen).toEqual(["57P01", 0]);
    expect(await backendOf(db)).not.toBe(before);
  });

  it("tells a statement timeout and a lock timeout from other failures", async () => {
    const db = fromPg(await openPool());
    const timedOut = await thrownBy(db.transaction(runSlowly));
    expect([sqlState(timedOut), sqlFailure(timedOut)]).toEqual(["57014", "timeout"]);

    await db.transaction(async (holder) => {
      await holder.query("select pg_advisory_xact_lock(1)");
      const waiting = db.transaction(async (tx) => {
        await tx.query("set local lock_timeout = '20ms'");
        await tx.query("select pg_advisory_xact_lock(1)");
      });
      const locked = await thrownBy(waiting);
      expect([sqlState(locked), sqlFailure(locked)]).toEqual(["55P03", "timeout"]);
    });
  });
});

describe("a pg Client", () => {
  it("runs transactions and statements one after the other in the order of their calls", async () => {
    const client = await openClient();
    // Two databases over one client are one session.
    const [first, second] = [fromPg(client), fromPg(client)];
    await first.script("create temp table log (step serial, who text)");
    await Promise.all([
      first.transaction(write("a")),
      second.transaction(write("b")),
      first.query("insert into log (who) values ('c')"),
      second.transaction(write("d")),
    ]);
    const { rows } = await first.query<{ all: string }>("select string_agg(who, '' order by step) as all from log");
    expect(rows).toEqual([{ all: "aaabbbcddd" }]);
  });

  it("lets what outlives a transaction use the session again", async () => {
    const db = fromPg(await openClient());
    const ended = Promise.withResolvers<void>();
    let late: Promise<unknown> | undefined;
    await db.transaction(async () => {
      late = ended.promise.then(() => db.query("select 1"));
    });
    ended.resolve();
    await expect(late).resolves.toMatchObject({ rowCount: 1 });
  });

  it("is closed when its transaction can be neither committed nor rolled back", async () => {
    const db = fromPg(await openClient({ query_timeout: 1000 }));
    let pid = 0;
    const work = db.transaction(async (tx) => {
      pid = await backendOf(tx);
      await tx.query("select pg_sleep(30)");
    });
    expect(sqlFailure(await thrownBy(work))).toBe("timeout");
    expect(sqlFailure(await thrownBy(db.query("select 1")))).toBe("unavailable");
    const watcher = fromPg(await openPool());
    await watcher.query("select pg_cancel_backend($1)", [pid]);
    await until(watcher, `select 1 where not exists (select from pg_stat_activity where pid = ${pid})`);
  });
});
