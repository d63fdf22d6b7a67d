import { migrate, withTransaction } from "@sluice/postgres";
import { connectPostgres, type Postgres } from "@sluice/postgres/connect";
import { findProgram } from "@sluice/testing/services";
import { describeNeeding, runLaws } from "@sluice/testing/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";

import { databaseUrl, handleKinds } from "./support/handles.ts";
import { startPgBouncer, type PgBouncer } from "./support/pgbouncer.ts";
import { createBarrier } from "./support/server.ts";
import { statementLaws } from "./support/statement-laws.ts";
import { createSubject, type Subject } from "./support/subject.ts";
import { thrownBy } from "./support/thrown.ts";
import { transactionLaws } from "./support/transaction-laws.ts";

const serverConnections = 3;

describeNeeding({ programs: ["pgbouncer"] }, "PgBouncer in transaction mode", () => {
  let pooler: PgBouncer;
  let db: Postgres;
  beforeAll(async () => {
    pooler = await startPgBouncer(findProgram("pgbouncer") ?? "", await databaseUrl(), serverConnections);
    db = connectPostgres({ urls: pooler.url, max: 20, statementTimeoutMs: 5000, connectTimeoutMs: 5000 });
  });
  afterAll(async () => {
    await db.close();
    await pooler[Symbol.asyncDispose]();
  });

  // Laws run over a handle as the table of handles has it: a pool, which runs transactions at once.
  const subjectOf = (): Promise<Subject> => {
    const [kind] = handleKinds;
    if (!kind) throw new Error("no handles");
    return createSubject({ ...kind, name: "PgBouncer", open: async () => db });
  };
  runLaws("a database behind it", [...transactionLaws, ...statementLaws], subjectOf);

  it("serves more transactions at once than there are server connections", async () => {
    await db.query("create table tally (n int)");
    await db.query("insert into tally values (0)");
    const add = (): Promise<void> =>
      withTransaction(
        db,
        async (tx) => {
          const { rows } = await tx.query<{ n: number }>("select n from tally");
          await tx.query("update tally set n = $1", [(rows[0]?.n ?? 0) + 1]);
        },
        { isolation: "serializable", attempts: 100, baseDelayMs: 1, maxDelayMs: 20 },
      );
    await Promise.all(Array.from({ length: 12 }, add));
    expect((await db.query("select n from tally")).rows).toEqual([{ n: 12 }]);
  });

  it("migrates exactly once from two processes' worth of handles", async () => {
    await using other = connectPostgres({ urls: pooler.url, max: 2, connectTimeoutMs: 5000 });
    const migrations = [
      { name: "0001_a", sql: "create table pooled (id int);" },
      { name: "0002_b", sql: "insert into pooled values (1);" },
    ];
    const reports = await Promise.all([db, other].map((each) => migrate(each, { package: "pooled", migrations })));
    expect(reports.flatMap(({ applied }) => applied).toSorted()).toEqual(["0001_a", "0002_b"]);
    expect((await db.query("select id from sluice.pooled")).rows).toEqual([{ id: 1 }]);
  });

  it("leaves nothing of a session behind on any server connection", async () => {
    const everyServer = createBarrier(serverConnections);
    const settings = async (): Promise<unknown> =>
      db.transaction(async (tx) => {
        const { rows } = await tx.query(`select current_setting('search_path') as path,
          current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
          current_setting('transaction_isolation') as isolation, (select count(*)::int from pg_locks
            where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
          (select count(*)::int from pg_prepared_statements) as prepared`);
        await everyServer();
        return rows[0];
      });
    const clean = {
      path: '"$user", public',
      lock: "0",
      statement: "0",
      isolation: "read committed",
      locks: 0,
      prepared: 0,
    };
    expect(await Promise.all(Array.from({ length: serverConnections }, settings))).toEqual(
      Array.from({ length: serverConnections }, () => clean),
    );
  });

  it("destroys a client whose statement gets no answer in time", async () => {
    await using hasty = connectPostgres({ urls: pooler.url, max: 1, statementTimeoutMs: 300, connectTimeoutMs: 300 });
    await hasty.query("select 1");
    const error = await thrownBy(hasty.query("select pg_sleep(30)"));
    expect(error).toMatchObject({ code: "ERR_SLUICE_POSTGRES_UNKNOWN", reason: "deadline" });
    expect((await hasty.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});
