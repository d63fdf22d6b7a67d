import { fromPg, migrate, type Migration, quoteIdentifier, type Sql } from "@sluice/postgres";
import { describe, expect, it } from "vitest";

import { openPool } from "./support/handles.ts";
import { createTable, testSchema } from "./support/schema.ts";
import { until } from "./support/server.ts";
import { thrownBy } from "./support/thrown.ts";

/** A negative number stands for another migration of that number. */
function numbered(numbers: readonly number[]): Migration[] {
  return numbers.map((number) => createTable(Math.abs(number), number < 0 ? "zzz" : `t${number}`));
}

describe("migrate", () => {
  it("refuses an applied migration that was edited, and names both checksums", async () => {
    const { up, tables } = testSchema(fromPg(await openPool()));
    await up([createTable(1)]);
    const edited = { ...createTable(1), sql: "create table t1 (id bigint);" };
    const error = await thrownBy(up([edited, createTable(2)]));
    expect(error).toMatchObject({
      code: "ERR_SLUICE_MIGRATION_EDITED",
      package: "demo",
      migration: "0001_t1",
      appliedChecksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      givenChecksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await tables()).toEqual(["t1"]);
  });

  it("takes other line endings and a byte order mark for the same migration", async () => {
    const { up } = testSchema(fromPg(await openPool()));
    const sql = "create table a (id int);\n\ncreate table b (id int);\n";
    await up([{ name: "0001_ab", sql }]);
    for (const same of [sql.replaceAll("\n", "\r\n"), sql.replaceAll("\n", "\r"), `\uFEFF${sql}`]) {
      expect(await up([{ name: "0001_ab", sql: same }])).toEqual([]);
    }
  });

  it("leaves alone what a newer release has applied after all of ours", async () => {
    const { up } = testSchema(fromPg(await openPool()));
    await up([createTable(1), createTable(2), createTable(3)]);
    expect(await up([createTable(1), createTable(2)])).toEqual([]);
    expect(await up([])).toEqual([]);
  });

  it.each([
    ["an applied one is not among ours", [1, 2, 4], [1, 4], "0002_t2"],
    ["an applied one has the number of ours", [1, 2], [1, -2], "0002_t2"],
    ["a new one comes before an applied one", [1, 3], [1, 2, 3], "0002_t2"],
    ["a new one comes before one of a newer release", [1, 2, 4], [1, 2, 3], "0003_t3"],
  ] as const)("refuses to go on when %s", async (...[, before, now, migration]) => {
    const { up, tables } = testSchema(fromPg(await openPool()));
    await up(numbered(before));
    const error = await thrownBy(up(numbered(now)));
    expect(error).toMatchObject({ code: "ERR_SLUICE_MIGRATION_ORDER", package: "demo", migration });
    expect(await tables()).toEqual(before.map((n) => `t${n}`));
  });

  it.each(["read committed", "repeatable read"])(
    "applies each migration once for four callers at once where the default isolation is %s",
    async (isolation) => {
      const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`;
      const pools = await Promise.all([1, 2, 3, 4].map(() => openPool({ max: 1, options })));
      const { up, name, tables } = testSchema(fromPg(await openPool()));
      const migrations = numbered([1, 2, 3, 4, 5, 6]);
      const reports = await Promise.all(
        pools.map((pool) => migrate(fromPg(pool), { package: "demo", schema: name, migrations })),
      );
      const applied = reports.flatMap((report) => report.applied);
      expect(applied.toSorted()).toEqual(migrations.map((migration) => migration.name));
      expect(await tables()).toEqual(["t1", "t2", "t3", "t4", "t5", "t6"]);
      expect(await up(migrations)).toEqual([]);
    },
  );

  it("keeps the sequences of packages apart", async () => {
    const { up, ledger } = testSchema(fromPg(await openPool()));
    await up([createTable(1, "a")], { package: "one" });
    expect(await up([createTable(1, "b")], { package: "two" })).toEqual(["0001_b"]);
    expect(await ledger()).toEqual(["one/0001_a", "postgres/0001_sluice_now", "two/0001_b"]);
  });

  it("refuses a migration that ends its own transaction", async () => {
    const { up, ledger } = testSchema(fromPg(await openPool()));
    for (const end of ["commit", "rollback", "commit; begin"]) {
      const error = await thrownBy(up([{ name: "0001_sly", sql: `select 1; ${end};` }]));
      expect(error).toMatchObject({ code: "ERR_SLUICE_MIGRATION_FAILED", migration: "0001_sly" });
    }
    expect(await ledger()).toEqual(["postgres/0001_sluice_now"]);
  });

  it("gives up with a typed error when another process holds the lock for too long", async () => {
    const db = fromPg(await openPool());
    const { up, name } = testSchema(db);
    await up([createTable(1)]);
    await db.transaction(async (other) => {
      await holdLock(other, name);
      const error = await thrownBy(up([createTable(1), createTable(2)], { lockTimeout: 30 }));
      expect(error).toMatchObject({ code: "ERR_SLUICE_MIGRATION_LOCKED", schema: name, lockTimeoutMs: 30 });
    });
    expect(await up([createTable(1), createTable(2)])).toEqual(["0002_t2"]);
  });

  it("sees what others have created while it waited for the lock", async () => {
    const watcher = fromPg(await openPool());
    const session = fromPg(await openPool({ max: 1 }));
    // A session that has migrated before looks nothing up in the catalog, where it would hear of changes.
    await testSchema(session).up([createTable(1)]);
    const { up, name } = testSchema(session);
    const waiting = await watcher.transaction(async (other) => {
      await holdLock(other, name);
      const work = up([createTable(1)]);
      await until(watcher, "select from pg_locks where locktype = 'advisory' and not granted");
      await other.script(`create schema ${quoteIdentifier(name)}`);
      return { work };
    });
    expect(await waiting.work).toEqual(["0001_t1"]);
  });

  it("waits for nobody when there is nothing to apply", async () => {
    const db = fromPg(await openPool());
    const { up, name } = testSchema(db);
    await up([createTable(1)]);
    await db.transaction(async (other) => {
      await holdLock(other, name);
      expect(await up([createTable(1)], { lockTimeout: 30 })).toEqual([]);
    });
  });

  it("lifts the statement timeout for its own transaction only", async () => {
    const db = fromPg(await openPool({ max: 1, statement_timeout: 5000, lock_timeout: 4000 }));
    const { up, name } = testSchema(db);
    const settings = "select current_setting('statement_timeout') as statement, current_setting('search_path') as path";
    await up([{ name: "0001_settings", sql: `create table settings as ${settings}` }], { lockTimeout: "7s" });
    const during = await db.query(`select statement, path from ${quoteIdentifier(name)}.settings`);
    expect(during.rows).toEqual([{ statement: "0", path: `"${name}", pg_temp` }]);
    const after = await db.query(`${settings}, current_setting('lock_timeout') as lock`);
    expect(after.rows).toEqual([{ statement: "5s", path: '"$user", public', lock: "4s" }]);
  });

  it("needs no right to create schemas once the schema is there", async () => {
    const admin = fromPg(await openPool());
    const { up, name } = testSchema(admin);
    await up([createTable(1)]);
    const role = quoteIdentifier(`${name}_role`);
    await admin.script(`create role ${role} login password 'secret';
      grant usage, create on schema ${name} to ${role};
      grant select, insert on ${name}.sluice_migration to ${role}`);
    const limited = await openPool({ max: 1, options: `-c role=${name}_role` });
    const asRole = await up([createTable(1)]);
    expect(asRole).toEqual([]);
    const migrations = [createTable(1), createTable(2)];
    const report = await migrate(fromPg(limited), { package: "demo", schema: name, migrations });
    expect(report.applied).toEqual(["0002_t2"]);
    await admin.script(`drop owned by ${role} cascade; drop role ${role}`);
  });
});

/** Takes the lock as documented: the first 8 bytes of SHA-256, a signed number with the highest byte first. */
async function holdLock(other: Sql, schema: string): Promise<void> {
  await other.query(
    "select pg_advisory_xact_lock(('x' || encode(substr(sha256(convert_to($1, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint)",
    [`sluice:migrate:${schema}`],
  );
}
