import { createHash } from "node:crypto";

import { InvalidArgumentError } from "@sluice/core";

import { MigrationEditedError, MigrationOrderError } from "./migration-errors.ts";

/** One step of a schema. Once applied anywhere it must never change. */
export interface Migration {
  /** `0001_words`: four digits that give the place, then lower-case words joined by `_`. At most 63 characters. */
  readonly name: string;
  /** Statements separated by semicolons, naming no schema and no transaction control. */
  readonly sql: string;
}

/** A migration that the ledger lists. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

const migrationName = /^\d{4}_[a-z0-9]+(_[a-z0-9]+)*$/;
const longestName = 63;

/**
 * The migrations as given, when their names are well formed, ascend, and share no number.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the first that is not.
 */
export function checkedMigrations(migrations: readonly Migration[]): readonly Migration[] {
  let last = "";
  for (const { name, sql } of migrations) {
    if (typeof name !== "string" || !migrationName.test(name) || name.length > longestName) {
      throw new InvalidArgumentError("migrations", 'named as in "0001_create_orders"', name);
    }
    if (typeof sql !== "string" || sql.trim() === "" || sql.includes("\0")) {
      throw new InvalidArgumentError("migrations", `SQL in ${name}, without NUL`, sql);
    }
    if (numberOf(name) <= numberOf(last)) {
      throw new InvalidArgumentError("migrations", `in ascending order, each number once: ${last} comes before`, name);
    }
    last = name;
  }
  return migrations;
}

/** SHA-256 of a migration in hex. Line endings count as `\n` and a byte order mark not at all, as Git may change both. */
export function checksumOf(sql: string): string {
  const text = sql.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  return createHash("sha256").update(text).digest("hex");
}

/**
 * The first migration that is not applied yet, or `undefined`. What is applied after all of ours belongs to a newer
 * release that shares the database, and is fine.
 *
 * @throws `ERR_SLUICE_MIGRATION_EDITED`, `ERR_SLUICE_MIGRATION_ORDER`
 */
export function firstPending(
  packageName: string,
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): Migration | undefined {
  const given = new Map(migrations.map((migration) => [migration.name, migration]));
  const lastGiven = numberOf(migrations.at(-1)?.name ?? "");
  let lastApplied = 0;
  for (const { name, checksum } of applied) {
    lastApplied = Math.max(lastApplied, numberOf(name));
    const migration = given.get(name);
    if (migration) assertUnchanged(packageName, migration, checksum);
    else if (numberOf(name) <= lastGiven) {
      throw new MigrationOrderError(packageName, name, "is applied, but is not among the migrations given.");
    }
  }
  const done = new Set(applied.map(({ name }) => name));
  const pending = migrations.find(({ name }) => !done.has(name));
  if (pending && numberOf(pending.name) <= lastApplied) {
    throw new MigrationOrderError(
      packageName,
      pending.name,
      "is new, but a later one is applied already. Renumber it.",
    );
  }
  return pending;
}

function assertUnchanged(packageName: string, { name, sql }: Migration, appliedChecksum: string): void {
  const givenChecksum = checksumOf(sql);
  if (givenChecksum === appliedChecksum) return;
  throw new MigrationEditedError({ package: packageName, migration: name, appliedChecksum, givenChecksum });
}

function numberOf(name: string): number {
  return Number(name.slice(0, 4));
}
