import { createHash } from "node:crypto";

import { type Clock, type Duration, InvalidArgumentError, parseDuration, systemClock } from "@sluice/core";

import { sqlState } from "./failure.ts";
import { quoteIdentifier } from "./identifier.ts";
import { MigrationFailedError, MigrationLockedError } from "./migration-errors.ts";
import { type AppliedMigration, checkedMigrations, checksumOf, firstPending, type Migration } from "./migration.ts";
import { sluiceNow } from "./sluice-now.ts";
import type { Sql, SqlDatabase, SqlTransaction } from "./sql.ts";
import { migrateTraces, postgresEvents } from "./telemetry.ts";

/** What to {@link migrate}. */
export interface MigrateOptions {
  /** Whose migrations these are, such as `"inventory"`: lower-case words joined by `-`. `"postgres"` is taken. */
  readonly package: string;
  /** All migrations of the package, in ascending order. */
  readonly migrations: readonly Migration[];
  /** Where tables and functions go; created when missing. Default `"sluice"`. */
  readonly schema?: string;
  /** How long to wait for another process that migrates, and for a lock of a migration. Default `"30s"`. */
  readonly lockTimeout?: Duration;
  /** Measures durations. Default: this machine's. */
  readonly clock?: Clock;
}

/** What {@link migrate} did. */
export interface MigrateReport {
  /** The migrations of the package that this call applied, in order. Empty when there was nothing to do. */
  readonly applied: readonly string[];
}

/** A checked request: one package in one schema. */
interface Plan {
  readonly package: string;
  readonly migrations: readonly Migration[];
  readonly schema: string;
  /** The quoted schema and its ledger, ready for SQL. */
  readonly ledger: string;
  readonly lockTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Brings the schema up to date: applies those of the package's migrations that the database has not seen, in order.
 * There is no way back but a new migration. Processes may call it at the same time; each migration is applied once.
 *
 * Each migration runs in a transaction of its own together with its row in the ledger `sluice_migration` (package,
 * name, SHA-256, time), under an advisory transaction lock, without a statement timeout, and with `search_path` set
 * to the schema: its SQL names no schema, and `set search_path from current` pins a function to it. Statements that
 * cannot run in a transaction, such as `create index concurrently`, are refused by the server.
 *
 * The key of the lock is the first 8 bytes of SHA-256 of `"sluice:migrate:" + schema`, as a signed big-endian number.
 * Nothing is session-scoped, so a pooler in transaction mode may be in between. Two round trips when nothing is
 * pending, without waiting for anybody; about 6 per migration.
 *
 * @throws `ERR_SLUICE_MIGRATION_EDITED` when an applied migration reads differently now.
 * @throws `ERR_SLUICE_MIGRATION_ORDER` when an applied one is unknown, or a new one precedes an applied one.
 *   Applied ones after all of ours are fine: a newer release shares the database.
 * @throws `ERR_SLUICE_MIGRATION_FAILED` naming the migration and the line. It left nothing; earlier ones stay.
 * @throws `ERR_SLUICE_MIGRATION_LOCKED` when another process did not finish within `lockTimeout`.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export async function migrate(db: SqlDatabase, options: MigrateOptions): Promise<MigrateReport> {
  const plan = checkedPlan(options);
  return migrateTraces.trace({ package: plan.package, schema: plan.schema }, async () => {
    await catchUp(db, { ...plan, package: "postgres", migrations: [sluiceNow] });
    return { applied: await catchUp(db, plan) };
  });
}

function checkedPlan(options: MigrateOptions): Plan {
  const { package: name, migrations, schema = "sluice", lockTimeout = "30s", clock = systemClock } = options;
  if (typeof name !== "string" || !/^[a-z][a-z0-9-]{0,62}$/.test(name) || name === "postgres") {
    throw new InvalidArgumentError("package", 'lower-case words joined by "-", not "postgres"', name);
  }
  if (typeof schema !== "string" || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith("pg_")) {
    throw new InvalidArgumentError("schema", "lower-case letters, digits and _, not starting with pg_", schema);
  }
  return {
    package: name,
    migrations: checkedMigrations(migrations),
    schema,
    ledger: `${quoteIdentifier(schema)}.sluice_migration`,
    lockTimeoutMs: parseDuration(lockTimeout, { minMs: 1, maxMs: 2 ** 31 - 1, argument: "lockTimeout" }),
    clock,
  };
}

async function catchUp(db: SqlDatabase, plan: Plan): Promise<string[]> {
  const applied: string[] = [];
  // Whoever has nothing to do must not wait for a long migration of a newer release.
  if (!firstPending(plan.package, plan.migrations, await readLedgerIfAny(db, plan))) return applied;
  for (;;) {
    const startedMs = plan.clock.monotonic();
    // Under another isolation, the wait for the lock would end with a snapshot from before it.
    const name = await db.transaction((tx) => applyNext(tx, plan), { isolation: "read committed", readOnly: false });
    if (name === undefined) return applied;
    applied.push(name);
    const durationMs = plan.clock.monotonic() - startedMs;
    postgresEvents.publish({ type: "migration-applied", package: plan.package, name, durationMs });
  }
}

async function applyNext(tx: SqlTransaction, plan: Plan): Promise<string | undefined> {
  await takeLock(tx, plan);
  await createLedger(tx, plan);
  const migration = firstPending(plan.package, plan.migrations, await readLedger(tx, plan));
  if (!migration) return undefined;
  await apply(tx, plan, migration);
  return migration.name;
}

// transaction_timeout exists from PostgreSQL 17 on, so the settings that exist are asked for.
const liftTimeouts = `select set_config(name, '0', true) from pg_catalog.pg_settings
  where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`;

async function takeLock(tx: Sql, { schema, lockTimeoutMs }: Plan): Promise<void> {
  await tx.query(liftTimeouts);
  await tx.query("select set_config('lock_timeout', $1, true), set_config('search_path', $2, true)", [
    `${lockTimeoutMs}ms`,
    `${quoteIdentifier(schema)}, pg_temp`,
  ]);
  try {
    await tx.query("select pg_advisory_xact_lock($1::bigint)", [lockKey(schema)]);
  } catch (error) {
    throw sqlState(error) === "55P03" ? new MigrationLockedError(schema, lockTimeoutMs, { cause: error }) : error;
  }
}

function lockKey(schema: string): string {
  return createHash("sha256").update(`sluice:migrate:${schema}`).digest().readBigInt64BE().toString();
}

// Tables of the catalog, and not `to_regclass`: a session keeps in mind what was not there, and is not told while it
// waits for an advisory lock.
const isThere = `select count(*) > 0 as schema, count(c.oid) > 0 as ledger
  from pg_catalog.pg_namespace n
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'sluice_migration'
  where n.nspname = $1`;

// "if not exists" wants the right to create even when there is nothing to create.
async function createLedger(tx: Sql, { schema, ledger }: Plan): Promise<void> {
  const { rows } = await tx.query<{ schema: boolean; ledger: boolean }>(isThere, [schema]);
  if (rows[0]?.schema !== true) await tx.query(`create schema ${quoteIdentifier(schema)}`);
  if (rows[0]?.ledger === true) return;
  await tx.query(`create table ${ledger} (
    package text collate "C" not null,
    name text collate "C" not null,
    checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default clock_timestamp(),
    version smallint not null default 1,
    primary key (package, name)
  )`);
}

async function readLedgerIfAny(db: Sql, plan: Plan): Promise<readonly AppliedMigration[]> {
  try {
    return await readLedger(db, plan);
  } catch (error) {
    if (sqlState(error) === "42P01") return [];
    throw error;
  }
}

async function readLedger(sql: Sql, plan: Plan): Promise<readonly AppliedMigration[]> {
  const text = `select name, checksum from ${plan.ledger} where package = $1 order by name`;
  return (await sql.query<AppliedMigration>(text, [plan.package])).rows;
}

async function apply(tx: Sql, { package: packageName, ledger }: Plan, { name, sql }: Migration): Promise<void> {
  const transaction = await transactionId(tx);
  try {
    await tx.script(sql);
  } catch (error) {
    throw new MigrationFailedError(packageName, name, { line: lineOf(error, sql), cause: error });
  }
  if ((await transactionId(tx)) !== transaction) {
    const cause = new Error("It ended its transaction. Remove COMMIT and ROLLBACK; what came before them may stay.");
    throw new MigrationFailedError(packageName, name, { cause });
  }
  await tx.query(`insert into ${ledger} (package, name, checksum) values ($1, $2, $3)`, [
    packageName,
    name,
    checksumOf(sql),
  ]);
}

async function transactionId(tx: Sql): Promise<string | undefined> {
  return (await tx.query<{ id: string }>("select pg_current_xact_id()::text as id")).rows[0]?.id;
}

// The server counts characters from 1, as code points.
function lineOf(error: unknown, sql: string): number | undefined {
  const position = Number(typeof error === "object" && error !== null && "position" in error ? error.position : NaN);
  return Number.isInteger(position) ? Array.from(sql).slice(0, position).join("").split("\n").length : undefined;
}
