import { systemRandom } from "@sluice/core";
import { migrate, type Migration, type MigrateOptions, quoteIdentifier, type SqlDatabase } from "@sluice/postgres";

/** A schema of its own for one test. */
export interface TestSchema {
  readonly name: string;
  /** Runs `migrate` for the package `demo` in it. */
  readonly up: (migrations: readonly Migration[], options?: Partial<MigrateOptions>) => Promise<readonly string[]>;
  /** `package/name` of all that the ledger lists. */
  readonly ledger: () => Promise<string[]>;
  /** The tables in it, without the ledger. */
  readonly tables: () => Promise<string[]>;
}

export function testSchema(db: SqlDatabase): TestSchema {
  const name = `schema_${systemRandom.integer(0, 2 ** 48)}`;
  return {
    name,
    async up(migrations, options = {}) {
      return (await migrate(db, { package: "demo", migrations, schema: name, ...options })).applied;
    },
    async ledger() {
      const text = `select package || '/' || name as entry from ${quoteIdentifier(name)}.sluice_migration order by 1`;
      return (await db.query<{ entry: string }>(text)).rows.map(({ entry }) => entry);
    },
    async tables() {
      const { rows } = await db.query<{ name: string }>(
        `select tablename::text as name from pg_tables
          where schemaname = $1 and tablename <> 'sluice_migration' order by 1`,
        [name],
      );
      return rows.map((row) => row.name);
    },
  };
}

/** A migration that fails when it is applied twice. */
export function createTable(number: number, table = `t${number}`): Migration {
  return { name: `${String(number).padStart(4, "0")}_${table}`, sql: `create table ${table} (id int);` };
}
