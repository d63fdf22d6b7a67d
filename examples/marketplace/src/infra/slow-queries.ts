import { systemClock } from "@sluice/core";
import type { Sql, SqlDatabase } from "@sluice/postgres";

import type { Log } from "../http/log.ts";

const longestText = 500;

/** The database, with a log line for each statement that takes `slowMs` or longer, the wait for a connection included. */
export function loggingSlowQueries(database: SqlDatabase, slowMs: number, log: Log): SqlDatabase {
  async function timed<T>(text: string, work: () => Promise<T>): Promise<T> {
    const startedMs = systemClock.monotonic();
    try {
      return await work();
    } finally {
      const durationMs = systemClock.monotonic() - startedMs;
      if (durationMs >= slowMs)
        log.warn({ duration_ms: Math.round(durationMs), query: normalized(text) }, "Slow query");
    }
  }
  const over = (sql: Sql): Sql => ({
    query: (text, params) => timed(text, () => sql.query(text, params)),
    script: (text) => timed(text, () => sql.script(text)),
  });
  return {
    kind: "database",
    ...over(database),
    transaction: (work, options) =>
      database.transaction((transaction) => work({ kind: "transaction", ...over(transaction) }), options),
  };
}

/** A statement on one line, without the values that were written into it. */
export function normalized(text: string): string {
  return text
    .replaceAll(/'(?:[^']|'')*'/g, "?")
    .replaceAll(/(?<![\w$.])\d+(?:\.\d+)?\b/g, "?")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, longestText);
}
