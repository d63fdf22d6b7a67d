import { systemClock } from "@sluice/core";
import { fromPg, type Sql, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";
import pg from "pg";

import type { Config } from "../config/config.ts";
import type { Log } from "../http/log.ts";
import type { PoolUsage } from "./metrics.ts";

/** The schema that all tables of the marketplace are in. */
export const schema = "marketplace";

/** The service's connections to PostgreSQL. */
export interface Database extends AsyncDisposable {
  readonly sql: SqlDatabase;
  /** One statement on a connection of its own, so that a busy pool does not look like a dead database. */
  ping(): Promise<void>;
  readonly pools: Readonly<Record<string, PoolUsage>>;
}

const pingTimeoutMs = 2000;
// The server ends a statement at its timeout; this is for a server that has stopped answering.
const graceMs = 1000;

/** Opens pools as configured. Nothing is connected before the first statement. */
export function createDatabase(url: string, config: Config["database"], log: Log): Database {
  const main = createPool(url, log, {
    max: config.poolMax,
    connectionTimeoutMillis: config.poolTimeoutMs,
    statement_timeout: config.statementTimeoutMs,
    query_timeout: config.statementTimeoutMs + graceMs,
  });
  const health = createPool(url, log, {
    max: 1,
    connectionTimeoutMillis: pingTimeoutMs,
    query_timeout: pingTimeoutMs,
  });
  return {
    sql: loggingSlowQueries(fromPg(main), config.slowQueryMs, log),
    ping: async () => void (await health.query("select 1")),
    pools: { main, health },
    async [Symbol.asyncDispose]() {
      await Promise.all([main.end(), health.end()]);
    },
  };
}

/** A connection for migrations and bulk loads, without a statement timeout. Closed when `use` is done. */
export async function withAdministrator<T>(url: string, use: (database: SqlDatabase) => Promise<T>): Promise<T> {
  const pool = createPool(url, undefined, { max: 2, connectionTimeoutMillis: 10_000, statement_timeout: 0 });
  try {
    return await use(fromPg(pool));
  } finally {
    await pool.end();
  }
}

// The last one lets a word with one wrong letter match; it means nothing to a server without pg_trgm.
const settings = `-c search_path=${schema},public -c timezone=UTC -c pg_trgm.word_similarity_threshold=0.45`;

function createPool(url: string, log: Log | undefined, options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "marketplace",
    options: settings,
    keepAlive: true,
    ...options,
  });
  // An idle connection that breaks is replaced by the next checkout.
  pool.on("error", (error) => {
    if (!pool.ending) log?.warn({ error: { message: error.message } }, "Lost an idle database connection");
  });
  return pool;
}

const longestText = 500;

function loggingSlowQueries(database: SqlDatabase, slowMs: number, log: Log): SqlDatabase {
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
  function logged(sql: Sql): Sql {
    return {
      query: (text, params) => timed(text, () => sql.query(text, params)),
      script: (text) => timed(text, () => sql.script(text)),
    };
  }
  return {
    kind: "database",
    ...logged(database),
    transaction: (work, options) =>
      database.transaction((sql) => work({ kind: "transaction", ...logged(sql) } satisfies SqlTransaction), options),
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
