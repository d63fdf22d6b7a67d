import { systemClock } from "@sluice/core";
import { migrate, sqlFailure, sqlState } from "@sluice/postgres";
import { connectPostgres, type ConnectPostgresOptions, type Postgres } from "@sluice/postgres/connect";
import { createFaultProxy } from "@sluice/testing/faults";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { databaseUrl } from "./support/handles.ts";
import { backendOf, closedPort, terminate } from "./support/server.ts";
import { ask, eventually } from "./support/servers.ts";
import { thrownBy } from "./support/thrown.ts";

let url: string;
beforeAll(async () => {
  url = await databaseUrl();
});

function open(options: Partial<ConnectPostgresOptions> = {}): Postgres {
  const db = connectPostgres({ urls: url, ...options });
  onTestFinished(() => db.close());
  return db;
}

async function silentUrl() {
  const { hostname, port } = new URL(url);
  const proxy = await createFaultProxy({ upstream: { host: hostname, port: Number(port || "5432") } });
  onTestFinished(() => proxy.close());
  return { proxy, url: proxy.url(url) };
}

async function isGone(pid: number): Promise<boolean> {
  return (await ask(url, `select 1 from pg_stat_activity where pid = ${pid}`)).length === 0;
}

describe("a database none of whose hosts answers", () => {
  it("fails in time, then refuses a thousand calls at under 1 ms each", async () => {
    const silent = await silentUrl();
    silent.proxy.blackhole();
    const closed = `postgres://nobody:secret@127.0.0.1:${await closedPort()}/none`;
    const db = open({ urls: [closed, silent.url], connectTimeoutMs: 300, probeMs: 60_000, maxLagMs: 120_000 });
    const beganMs = systemClock.monotonic();
    const error = await thrownBy(db.query("select 1"));
    expect(systemClock.monotonic() - beganMs).toBeLessThan(1500);
    expect(error).toMatchObject({
      code: "ERR_SLUICE_POSTGRES_UNAVAILABLE",
      reason: "no-primary",
      applied: "no",
      hosts: [{ role: "down" }, { role: "down" }],
    });
    expect(sqlFailure(error)).toBe("unavailable");
    expect(String(error)).not.toContain("secret");
    const connections = silent.proxy.traffic().connections;
    const thousandMs = systemClock.monotonic();
    for (let call = 0; call < 1000; call += 1)
      expect(await thrownBy(db.query("select 1"))).toMatchObject({ applied: "no" });
    const perCallMs = (systemClock.monotonic() - thousandMs) / 1000;
    console.log(`a refused call takes ${perCallMs.toFixed(3)} ms`);
    expect(perCallMs).toBeLessThan(1);
    expect(silent.proxy.traffic().connections).toBe(connections);
  });

  it("asks about once a probe time, and is used again without a call", async () => {
    const silent = await silentUrl();
    const refusal = await silent.proxy.refuse();
    const db = open({ urls: silent.url, probeMs: 200 });
    expect(await thrownBy(db.query("select 1"))).toMatchObject({ reason: "no-primary" });
    const found = postgresEventsOf("primary-found");
    await refusal.lift();
    await eventually(() => db.hosts()[0]?.role === "primary");
    expect(found()).toMatchObject([{ host: new URL(silent.url).host }]);
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("a pool of one host", () => {
  it("refuses a call when all clients stay taken, and a crowd at once", async () => {
    const db = open({ max: 2, maxWaiting: 1, acquireTimeoutMs: 400, connectTimeoutMs: 400 });
    await db.transaction(() =>
      db.transaction(async () => {
        const waiting = thrownBy(db.query("select 1"));
        await eventually(() => db.hosts()[0]?.waitingCount === 1);
        const beganMs = systemClock.monotonic();
        expect(await thrownBy(db.query("select 1"))).toMatchObject({ reason: "pool-exhausted" });
        expect(systemClock.monotonic() - beganMs).toBeLessThan(200);
        expect(await waiting).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNAVAILABLE", reason: "pool-exhausted" });
        expect(db.hosts()).toMatchObject([{ totalCount: 2, idleCount: 0, waitingCount: 0 }]);
      }),
    );
    // A client that came too late for its caller is not lost.
    await eventually(() => db.hosts()[0]?.idleCount === 2);
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("destroys a client that got no answer within its deadline", async () => {
    const silent = await silentUrl();
    const db = open({ urls: silent.url, max: 1, statementTimeoutMs: 100, connectTimeoutMs: 400 });
    const before = await backendOf(db);
    const destroyed = postgresEventsOf("client-destroyed");
    const fault = silent.proxy.blackhole({ direction: "replies" });
    const error = await thrownBy(db.query("select 1"));
    expect(error).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNKNOWN", reason: "deadline", applied: "unknown" });
    expect(sqlFailure(error)).toBe("timeout");
    expect(destroyed()).toMatchObject([{ reason: "deadline" }]);
    await fault.lift();
    await eventually(() => isGone(before));
    await eventually(() => db.hosts()[0]?.role === "primary");
    expect(await backendOf(db)).not.toBe(before);
  });

  it("says that the outcome of a COMMIT without an answer is unknown", async () => {
    const silent = await silentUrl();
    const db = open({ urls: silent.url, statementTimeoutMs: 200 });
    const work = db.transaction(async (tx) => {
      await tx.query("select 1");
      silent.proxy.blackhole({ direction: "replies" });
    });
    expect(await thrownBy(work)).toMatchObject({ code: "ERR_SLUICE_COMMIT_UNKNOWN" });
  });

  it("has the server end a statement at its timeout, and keeps the client", async () => {
    const db = open({ max: 1, statementTimeoutMs: 100 });
    const before = await backendOf(db);
    const error = await thrownBy(db.query("select pg_sleep(30)"));
    expect([sqlState(error), sqlFailure(error)]).toEqual(["57014", "timeout"]);
    expect(await backendOf(db)).toBe(before);
  });

  it("lets a transaction choose a longer limit, as a migration does", async () => {
    const db = open({ statementTimeoutMs: 100, settings: { search_path: '"a b", public' }, applicationName: "shop" });
    const sql = "create table slow as select current_setting('application_name') as name, pg_sleep(0.8)::text;";
    await migrate(db, { package: "slow", migrations: [{ name: "0001_slow", sql }] });
    expect((await db.query("select name from sluice.slow")).rows).toEqual([{ name: "shop" }]);
    expect((await db.query("show search_path")).rows).toEqual([{ search_path: '"a b", public' }]);
  });

  it("replaces a session that an administrator has ended, and keeps the others", async () => {
    const db = open({ max: 2 });
    const lost = postgresEventsOf("primary-lost");
    let ended = 0;
    const kept = await db.transaction(async (tx) => {
      const error = await thrownBy(
        db.transaction(async (other) => {
          ended = await backendOf(other);
          await terminate(tx, ended);
          await other.query("select 1");
        }),
      );
      expect(sqlFailure(error)).toBe("unavailable");
      await db.inspect();
      return backendOf(tx);
    });
    expect(kept).not.toBe(ended);
    expect(await backendOf(db)).toBe(kept);
    expect(lost()).toEqual([]);
  });

  it("is not taken for a demoted primary when an application writes in a read-only transaction", async () => {
    const db = open();
    const lost = postgresEventsOf("primary-lost");
    const write = db.transaction((tx) => tx.query("create table never (id int)"), { readOnly: true });
    expect(sqlState(await thrownBy(write))).toBe("25006");
    await db.inspect();
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(lost()).toEqual([]);
  });
});

describe("a database with one client", () => {
  it("refuses every call that waits for its own transaction, reads included", async () => {
    const db = open({ urls: url, max: 1 });
    const session = db.session();
    const calls: (() => Promise<unknown>)[] = [
      () => db.query("select 1"),
      () => db.transaction(async () => 1),
      () => db.read().query("select 1"),
      () => db.read().transaction(async () => 1),
      () => session.read().query("select 1"),
      () => session.query("select 1"),
      () => db.mark(),
    ];
    for (const call of calls) {
      expect(await thrownBy(db.transaction(call))).toMatchObject({ code: "ERR_SLUICE_NESTED_USE" });
    }
    expect((await db.read().query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("a closed database", () => {
  it("refuses calls, and has let running ones finish", async () => {
    const db = connectPostgres({ urls: url });
    const begun = Promise.withResolvers<void>();
    const running = db.transaction(async (tx) => {
      begun.resolve();
      return (await tx.query("select pg_sleep(0.1), 1 as one")).rowCount;
    });
    await begun.promise;
    await Promise.all([db.close(), db.close()]);
    expect(await running).toBe(1);
    for (const call of [db.query("select 1"), db.read().query("select 1"), db.mark()]) {
      expect(await thrownBy(call)).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNAVAILABLE", reason: "closed" });
    }
  });

  it("tells those who have no client yet that it was closed, however far they have come", async () => {
    for (let steps = 0; steps < 12; steps += 1) {
      const db = connectPostgres({ urls: url });
      await db.query("select 1");
      const calls = [db.query("select 1"), db.read().query("select 1"), db.transaction(async () => 1)];
      // Those that had a client already are answered.
      const reasons = calls.map((call) =>
        call.then(
          () => "closed",
          ({ reason }: { reason?: string }) => reason,
        ),
      );
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      await db.close();
      expect(await Promise.all(reasons)).toEqual(["closed", "closed", "closed"]);
    }
  });

  it("destroys what does not finish in time", async () => {
    const db = connectPostgres({ urls: url, closeTimeoutMs: 50 });
    const running = thrownBy(db.query("select pg_sleep(30)"));
    await eventually(
      async () =>
        (await ask(url, "select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"))
          .length > 0,
    );
    await db.close();
    expect(await running).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNKNOWN", reason: "closed" });
  });
});
