import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { inspect } from "node:util";

import { hasCode } from "@sluice/core";
import { sqlState } from "@sluice/postgres";
import { connectPostgres, type ConnectPostgresOptions, type Postgres } from "@sluice/postgres/connect";
import { createFaultProxy, frozen, type Fault, type FaultProxy } from "@sluice/testing/faults";
import { startPostgresReplica, type PostgresReplica } from "@sluice/testing/services";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { postgresEventsOf } from "./support/events.ts";
import { readThrough } from "./support/read-load.ts";
import { ask, eventually, fastSettings, installation, isReplica, untilReplicaServes } from "./support/servers.ts";
import { thrownBy } from "./support/thrown.ts";

let servers: PostgresReplica;
let proxy: FaultProxy;
const native = await installation();
beforeAll(async () => {
  servers = await startPostgresReplica({ native, settings: fastSettings });
  proxy = await createFaultProxy({ upstream: { host: "127.0.0.1", port: servers.replica.port } });
  await ask(servers.primary.url, "create table note (id int)");
});
afterAll(async () => {
  await proxy.close();
  await servers.stop();
});
beforeEach(async () => servers.lag(0));

function open(options: Partial<ConnectPostgresOptions> = {}): Postgres {
  const urls = [servers.primary.url, proxy.url(servers.replica.url)];
  const db = connectPostgres({ urls, max: 3, probeMs: 100, maxLagMs: 1000, connectTimeoutMs: 500, ...options });
  onTestFinished(() => db.close());
  return db;
}

async function countOf(sql: Pick<Postgres, "query">, id: number): Promise<number> {
  return (await sql.query("select 1 from note where id = $1", [id])).rowCount;
}

const reasonsOf = (
  events: readonly { readonly target: string; readonly reason?: string }[],
): (string | undefined)[] => [...new Set(events.map(({ target, reason }) => reason ?? target))];

describe("reads of a database with a replica", () => {
  it("go to the replica, and writes to the primary", async () => {
    const db = open();
    await untilReplicaServes(db);
    await db.query("insert into note values (1)");
    expect((await db.query("select pg_is_in_recovery() as is")).rows).toEqual([{ is: false }]);
    const snapshot = await db.read().transaction(
      async (tx) => {
        await tx.query("select 1");
        return tx.query("select pg_is_in_recovery() as is, current_setting('transaction_isolation') as isolation");
      },
      { isolation: "repeatable read" },
    );
    expect(snapshot.rows).toEqual([{ is: true, isolation: "repeatable read" }]);
    expect(db.hosts().map(({ role }) => role)).toEqual(["primary", "replica"]);
    expect(db.hosts()[1]?.lagMs).toBeLessThan(1000);
    expect(await thrownBy(db.read().transaction(async () => 1, { isolation: "serializable" }))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
    });
  });

  it("go to the primary while the replica lags beyond the limit", async () => {
    const db = open();
    await untilReplicaServes(db);
    await servers.lag(3_600_000);
    await db.query("insert into note values (2)");
    await eventually(async () => !(await isReplica(db)));
    const routes = postgresEventsOf("route");
    expect(await countOf(db.read(), 2)).toBe(1);
    expect(reasonsOf(routes())).toEqual(["replica-lagging"]);
    await servers.lag(0);
    await untilReplicaServes(db);
    expect(await countOf(db.read(), 2)).toBe(1);
  });

  it("see the writes of their own session, and of a mark, at once", async () => {
    const db = open({ maxLagMs: 3_600_000 });
    await untilReplicaServes(db);
    await servers.lag(3_600_000);
    const routes = postgresEventsOf("route");
    const session = db.session();
    expect(await isReplica(session)).toBe(true);
    await session.query("insert into note values (3)");
    expect(await countOf(session.read(), 3)).toBe(1);
    const mark = await session.mark();
    expect(await countOf(db.read({ after: mark }), 3)).toBe(1);
    expect(await countOf(db.session({ after: mark }).read(), 3)).toBe(1);
    // Whoever does not ask for it may not see it yet.
    expect(await isReplica(db)).toBe(true);
    expect(await countOf(db.read(), 3)).toBe(0);
    expect(reasonsOf(routes())).toEqual(["replica", "not-replayed"]);

    await servers.lag(0);
    await eventually(async () => (await isReplica(session)) && (await isReplica(db.session({ after: mark }))));
    expect(await countOf(session.read(), 3)).toBe(1);
    expect(await countOf(db.read({ after: mark }), 3)).toBe(1);
  });

  it("stay on the primary for the sticky time of their session", async () => {
    const db = open();
    await untilReplicaServes(db);
    const [short, long] = [db.session(), db.session({ stickyMs: 3_600_000 })];
    await Promise.all([short.query("insert into note values (4)"), long.query("insert into note values (4)")]);
    await eventually(() => isReplica(short));
    expect(await isReplica(long)).toBe(false);
  });

  it("go on when the replica dies, and return to it when it is back", async () => {
    const db = open();
    await untilReplicaServes(db);
    const routes = postgresEventsOf("route");
    const slow = db
      .read()
      .query("select pg_is_in_recovery() as is, pg_sleep(case when pg_is_in_recovery() then 30 else 0 end)");
    await eventually(
      async () =>
        (await ask(servers.replica.url, "select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length > 0,
    );
    const refusal = await proxy.refuse();
    proxy.reset();
    // The read that was under way is sent again, to the primary.
    expect((await slow).rows).toMatchObject([{ is: false }]);
    await eventually(() => db.hosts()[1]?.role === "down");
    expect(await isReplica(db)).toBe(false);
    expect(reasonsOf(routes())).toEqual(["replica", "replica-down"]);
    await refusal.lift();
    await untilReplicaServes(db);
  });

  it("go on when the replica freezes, without waiting for its statements", async () => {
    const db = open();
    await untilReplicaServes(db);
    await frozen(
      servers.replica.pid,
      async () => {
        const reads = await Promise.all([isReplica(db), isReplica(db), isReplica(db)]);
        expect(reads).toEqual([false, false, false]);
      },
      { tree: true },
    );
    await untilReplicaServes(db);
  });

  it("do not fail while the replica lags, nor while it is away", async () => {
    const db = open();
    await untilReplicaServes(db);
    const lagging = await readThrough({
      fault: "PostgreSQL replica lagging",
      db,
      strike: async () => {
        await servers.lag(3_600_000);
        await db.query("insert into note values (12)");
      },
      repair: () => servers.lag(0),
    });
    let refusal: Fault | undefined;
    const away = await readThrough({
      fault: "PostgreSQL replica dead",
      db,
      strike: async () => {
        refusal = await proxy.refuse();
        proxy.reset();
      },
      repair: async () => refusal?.lift(),
    });
    for (const { errors, addedLatencyMs } of [lagging, away]) {
      expect(errors).toEqual([]);
      expect(addedLatencyMs).toBeLessThan(1000);
    }
  });

  it("go to the primary where replicas are not wanted or not there", async () => {
    const routes = postgresEventsOf("route");
    expect(await isReplica(open({ replicas: "none" }))).toBe(false);
    expect(await isReplica(open({ urls: servers.primary.url }))).toBe(false);
    expect(reasonsOf(routes())).toEqual(["no-replica"]);
  });

  it("go to hosts that are listed for reads, which are never written", async () => {
    const db = open({ urls: servers.primary.url, replicas: [servers.replica.url] });
    await untilReplicaServes(db);
    const inverted = open({ urls: servers.replica.url, replicas: [servers.primary.url] });
    expect(await thrownBy(inverted.query("insert into note values (5)"))).toMatchObject({
      reason: "no-primary",
      hosts: [{ role: "replica" }, { role: "primary" }],
    });
  });
});

describe("a primary that freezes without a replacement", () => {
  it("fails every call in time, and serves again when it goes on", async () => {
    const db = open({ urls: servers.primary.url, statementTimeoutMs: 1000 });
    await db.query("select 1");
    const pool = (): number => db.hosts()[0]?.totalCount ?? 0;
    await frozen(
      servers.primary.pid,
      async () => {
        expect(await thrownBy(db.query("insert into note values (6)"))).toMatchObject({
          code: "ERR_SLUICE_POSTGRES_UNKNOWN",
          reason: "deadline",
        });
        await eventually(() => db.hosts()[0]?.role === "down");
        expect(await thrownBy(db.query("insert into note values (7)"))).toMatchObject({ reason: "no-primary" });
        expect(pool()).toBe(0);
      },
      { tree: true },
    );
    await eventually(() => db.query("select 1").then(yes, no));
    expect(await countOf(db, 7)).toBe(0);
  });
});

async function administer(text: string): Promise<void> {
  const url = `${servers.primary.url}?options=${encodeURIComponent("-c default_transaction_read_only=off")}`;
  await ask(url, `alter system ${text}`);
  await ask(url, "select pg_reload_conf()");
}

describe("a primary that is made read-only", () => {
  it("is evicted with all its clients, and found again when it accepts writes", async () => {
    const db = open();
    await db.query("insert into note values (8)");
    const [evicted, found] = [postgresEventsOf("host-evicted"), postgresEventsOf("primary-found")];
    await administer("set default_transaction_read_only = on");
    try {
      await eventually(async () => hasCode(await db.query("insert into note values (9)").catch(itself), unavailable));
      expect(db.hosts().map(({ role }) => role)).toEqual(["read-only", "replica"]);
      expect(db.hosts()[0]?.totalCount).toBe(0);
    } finally {
      await administer("reset default_transaction_read_only");
    }
    await eventually(() => db.hosts()[0]?.role === "primary");
    await db.query("insert into note values (10)");
    expect(evicted()).toMatchObject([{ role: "read-only", clients: 1 }]);
    expect(found()).toHaveLength(1);
  });
});

describe("a single host that is made read-only", () => {
  it("is sent no write by a new connection, and at most one by each that was there", async () => {
    const [fresh, used] = [1, 2].map(() => open({ urls: servers.primary.url, max: 1, idleTimeoutMs: 50 }));
    if (!fresh || !used) throw new Error("no databases");
    await fresh.query("select 1");
    await eventually(() => fresh.hosts()[0]?.totalCount === 0);
    const write = "insert into note values (11)";
    const error = await used
      .transaction(async (tx) => {
        await administer("set default_transaction_read_only = on");
        return thrownBy(tx.query("set local transaction_read_only = on").then(() => tx.query(write)));
      })
      .catch(itself);
    try {
      expect(sqlState(error)).toBe("25006");
      await eventually(() => used.hosts()[0]?.role === "read-only");
      for (const db of [fresh, used]) expect(await thrownBy(db.query(write))).toMatchObject({ reason: "no-primary" });
    } finally {
      await administer("reset default_transaction_read_only");
    }
  });
});

describe("a password that is wrong", () => {
  it("is reported as refused, without being shown", async () => {
    await ask(servers.primary.url, "create role locked login password 'right-secret'");
    const rules = path.join(servers.primary.dataFolder, "pg_hba.conf");
    await writeFile(rules, `host all locked 127.0.0.1/32 scram-sha-256\n${await readFile(rules, "utf8")}`);
    await ask(servers.primary.url, "select pg_reload_conf()");
    const url = Object.assign(new URL(servers.primary.url), { username: "locked" });
    const wrong = Object.assign(new URL(url), { password: "wrong-secret" }).href;
    await eventually(() => ask(wrong, "select 1").then(no, yes));
    const db = open({ urls: wrong });
    for (const error of [await thrownBy(db.query("select 1")), await thrownBy(db.read().query("select 1"))]) {
      expect(error).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNAVAILABLE", reason: "refused" });
      expect(sqlState(error)).toBe("28P01");
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wrong-secret");
    }
    const asked = open({ urls: url.href, password: async () => "right-secret" });
    expect((await asked.query("select current_user::text as who")).rows).toEqual([{ who: "locked" }]);
  });
});

const unavailable = "ERR_SLUICE_POSTGRES_UNAVAILABLE";
const itself = (error: unknown): unknown => error;
const yes = (): boolean => true;
const no = (): boolean => false;
