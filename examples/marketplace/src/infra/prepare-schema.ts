import { sleep, systemClock } from "@sluice/core";
import { migrate, readMigrations, sqlFailure, type SqlDatabase } from "@sluice/postgres";

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
      const report = await migrate(database, {
        package: "marketplace",
        schema,
        migrations: await readMigrations(migrations),
      });
      return report.applied;
    } catch (error) {
      if (sqlFailure(error) !== "unavailable" || systemClock.monotonic() > deadlineMs) throw error;
      await sleep(systemClock, retryMs);
    }
  }
}
