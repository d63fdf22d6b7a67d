import { PostgresUnavailableError, type SqlDatabase } from "@sluice/postgres";
import { connectPostgres, type ConnectPostgresOptions, type HostStatus, type Postgres } from "@sluice/postgres/connect";

import type { Config } from "../config/config.ts";
import type { Log } from "../http/log.ts";
import { loggingSlowQueries } from "./slow-queries.ts";

/** The schema that all tables of the marketplace are in. */
export const schema = "marketplace";

/** A pair of handles: what is written through one is seen by the reads of the other. */
export interface DatabaseSession {
  readonly sql: SqlDatabase;
  readonly reads: SqlDatabase;
}

/** The service's connections to PostgreSQL. */
export interface Database extends AsyncDisposable {
  /** The primary. */
  readonly sql: SqlDatabase;
  /** Reads that may be `DB_MAX_LAG_MS` old: from a replica where one is fit, else from the primary. */
  readonly reads: SqlDatabase;
  /** Handles for a reader that has to see its own writes. Costs no round trip. */
  session(): DatabaseSession;
  /** The servers as they are known now. Sends nothing. */
  hosts(): readonly HostStatus[];
  /**
   * Asks every server on a connection of its own, so that a busy pool does not look like a dead database.
   *
   * @returns whether it can be written; where it cannot, replicas answer reads.
   * @throws `ERR_SLUICE_POSTGRES_UNAVAILABLE` when it cannot even be read.
   */
  inspect(): Promise<{ readonly writable: boolean }>;
}

// A server that answers at all answers within this time.
const connectTimeoutMs = 1500;

/**
 * Opens pools as configured, one per server. Nothing is connected before the first statement.
 *
 * @param urls - The servers of one cluster, in any order: which is the primary is found out.
 */
export function createDatabase(urls: readonly string[], config: Config["database"], log: Log): Database {
  const { poolMax, poolTimeoutMs, statementTimeoutMs, maxLagMs, slowQueryMs } = config;
  const postgres = open(urls, {
    max: poolMax,
    connectTimeoutMs: Math.min(connectTimeoutMs, poolTimeoutMs),
    acquireTimeoutMs: poolTimeoutMs,
    statementTimeoutMs,
    maxLagMs,
  });
  const logging = (database: SqlDatabase): SqlDatabase => loggingSlowQueries(database, slowQueryMs, log);
  return {
    sql: logging(postgres),
    reads: logging(postgres.read()),
    session() {
      const session = postgres.session();
      return { sql: logging(session), reads: logging(session.read()) };
    },
    hosts: () => postgres.hosts(),
    async inspect() {
      const hosts = await postgres.inspect();
      const writable = hosts.some(({ role }) => role === "primary");
      if (!writable && !hosts.some((host) => isFit(host, maxLagMs))) {
        throw new PostgresUnavailableError("no-primary", hosts);
      }
      return { writable };
    },
    [Symbol.asyncDispose]: () => postgres.close(),
  };
}

function isFit({ role, lagMs }: HostStatus, maxLagMs: number): boolean {
  return role === "replica" && lagMs !== undefined && lagMs <= maxLagMs;
}

/**
 * Connections to the primary for migrations and bulk loads, without a statement timeout. Closed when `use` is done.
 *
 * @param urls - The servers of one cluster.
 */
export async function withAdministrator<T>(
  urls: string | readonly string[],
  use: (database: SqlDatabase) => Promise<T>,
): Promise<T> {
  await using postgres = open(urls, { max: 2, acquireTimeoutMs: 10_000, statementTimeoutMs: 0, replicas: "none" });
  return await use(postgres);
}

const settings = {
  search_path: `${schema},public`,
  timezone: "UTC",
  // Lets a word with one wrong letter match; it means nothing to a server without pg_trgm.
  "pg_trgm.word_similarity_threshold": "0.45",
};

function open(urls: string | readonly string[], options: Omit<ConnectPostgresOptions, "urls">): Postgres {
  return connectPostgres({ urls, applicationName: "marketplace", settings, ...options });
}
