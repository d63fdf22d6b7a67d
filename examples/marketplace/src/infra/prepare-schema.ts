import { cacheMigrations } from "@sluice/cache/postgres";
import { sleep, systemClock } from "@sluice/core";
import { inventoryMigrations } from "@sluice/inventory/postgres";
import { migrate, PostgresUnavailableError, readMigrations, sqlFailure, type SqlDatabase } from "@sluice/postgres";

import { schema } from "./database.ts";

const migrations = new URL("../../migrations/", import.meta.url);
const retryMs = 200;

/**
 * Brings the schema up to date. However many processes start at once, each migration is applied once.
 *
 * @param patienceMs - How long to wait for a database that does not answer yet.
 * @returns the names of what was applied.
 */
export async function prepareSchema(database: SqlDatabase, patienceMs: number): Promise<readonly string[]> {
  const deadlineMs = systemClock.monotonic() + patienceMs;
  for (;;) {
    try {
      return await applyAll(database);
    } catch (error) {
      if (!isWorthWaiting(error) || systemClock.monotonic() > deadlineMs) throw error;
      await sleep(systemClock, retryMs);
    }
  }
}

/** The marketplace's own tables, and beside them those of its stock and of its cache's outbox. */
async function applyAll(database: SqlDatabase): Promise<readonly string[]> {
  const own = await migrate(database, {
    package: "marketplace",
    schema,
    migrations: await readMigrations(migrations),
  });
  const stock = await migrate(database, { package: "inventory", schema, migrations: await inventoryMigrations() });
  const outbox = await migrate(database, { package: "cache", migrations: cacheMigrations });
  return [...own.applied, ...stock.applied, ...outbox.applied];
}

/** A server that refuses this user, password or database will do so again. One without a free connection may not. */
function isWorthWaiting(error: unknown): boolean {
  const isRefused = error instanceof PostgresUnavailableError && error.reason === "refused";
  return sqlFailure(isRefused ? error.cause : error) === "unavailable";
}
