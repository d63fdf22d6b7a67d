import { hasReason, type HostRole } from "./connect-errors.ts";
import { connectPlan, type ConnectPostgresOptions } from "./connect-options.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import { positionIn, rolesWithPosition, type RoleRow } from "./finding.ts";
import type { PoolUsage } from "./host-pool.ts";
import { createHost, type Host } from "./host.ts";
import { markOf, type Mark } from "./mark.ts";
import { fromPg, type PgPoolClient } from "./pg.ts";
import { createReads, poolOf, type ReadOptions } from "./reads.ts";
import { assertOutside } from "./session-scope.ts";
import { createSession, type PostgresSession, type SessionOptions } from "./session.ts";
import type { SqlDatabase } from "./sql.ts";
import { createTopology, type Topology } from "./topology.ts";

export type { ConnectPostgresOptions } from "./connect-options.ts";
export type { PoolUsage } from "./host-pool.ts";
export type { Mark } from "./mark.ts";
export type { ReadOptions } from "./reads.ts";
export type { PostgresSession, SessionOptions } from "./session.ts";

/** One server, as it is known now. */
export interface HostStatus extends PoolUsage {
  /** Name and port, without user and password. */
  readonly host: string;
  readonly role: HostRole;
  /** Oldest that the data of a replica may be. Unit: ms. Absent where it is not known, and on a primary. */
  readonly lagMs?: number;
}

/** A cluster of PostgreSQL servers: its primary, wherever it is, and its replicas. */
export interface Postgres extends SqlDatabase, AsyncDisposable {
  /**
   * Reads that may go to a replica. They see everything that was committed `maxLagMs` ago, and with `after`, everything
   * before that mark. Where no replica is fit they go to the primary, with an event `route` that says why. A lone
   * statement whose replica is lost is sent again to the primary; a transaction is not, and is read-only wherever it
   * runs. Costs no extra round trip.
   *
   * Nothing checks that the SQL only reads: a write is refused by a replica (25006), and done by the primary.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a malformed mark.
   */
  read(options?: ReadOptions): SqlDatabase;
  /**
   * One user's view: reads through it see the writes that were made through it. Costs no round trip: a replica serves
   * again once it is known to have come past the last write, which takes about `probeMs`.
   */
  session(options?: SessionOptions): PostgresSession;
  /**
   * A mark after everything that is committed, for reads elsewhere: in another process, on another day. One round trip
   * to the primary. Once a promotion has begun a new line, reads after an older mark go to the primary.
   */
  mark(): Promise<Mark>;
  /** The hosts as they are known now, for metrics. Sends nothing. */
  hosts(): readonly HostStatus[];
  /** Asks all hosts now, on connections of their own, for a health check. Takes at most `connectTimeoutMs`. */
  inspect(): Promise<readonly HostStatus[]>;
  /** Refuses new calls, lets running ones finish within `closeTimeoutMs`, and ends all connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a PostgreSQL cluster with `pg`, one pool per host. Nothing is connected before the first call.
 *
 * - Statements and transactions go to the primary, which is found by `pg_is_in_recovery()` among the hosts. Of two that
 *   accept writes the one on the newer timeline counts, and a line that was left is never written again.
 * - A host that has lost its role is evicted with all its clients. What was under way fails with its own error
 *   (`ERR_SLUICE_POSTGRES_UNKNOWN`, `ERR_SLUICE_COMMIT_UNKNOWN` or the driver's), and nothing is sent again.
 * - Every wait ends: for a connection, for a client, and for an answer. A client whose statement got no answer in time
 *   is destroyed. While there is no primary, calls are refused at once, and the hosts are asked once per `probeMs`.
 * - A pooler in transaction mode may be in between: nothing is kept in a session, and a statement timeout that the
 *   pooler refuses is left out.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option; a URL is never shown.
 * @example
 * ```ts
 * import { connectPostgres } from "@sluice/postgres/connect";
 *
 * await using db = connectPostgres({ urls: process.env["DATABASE_URL"] ?? "" });
 * (await db.read().query("select 40 + 2 as answer")).rows; // => [{ answer: 42 }]
 * ```
 */
export function connectPostgres(options: ConnectPostgresOptions): Postgres {
  const plan = connectPlan(options);
  const { clock, max, probeMs, connectTimeoutMs } = plan.host;
  const hosts = plan.addresses.map(({ name, url }) =>
    createHost(
      { ...plan.host, name, client: { ...plan.client, connectionString: url } },
      { slow: () => topology.rounds.touch(), suspect: (host) => topology.suspect(host) },
    ),
  );
  const { readersOnly, random } = plan;
  // Longer than a round can take, so that a host that does not answer delays nobody.
  const trustMs = 5 * probeMs + 2 * connectTimeoutMs;
  const topology = createTopology({ hosts, readersOnly, probeMs, trustMs, clock, random });

  const lendPrimary = (): Promise<Lent> => lendFrom(topology);
  const pool = poolOf(max, async () => (await lendPrimary()).client);
  const db = fromPg(pool);
  const read = createReads({
    topology,
    replicas: plan.readsFromReplicas && hosts.length > 1 ? hosts : [],
    max,
    maxLagMs: plan.maxLagMs,
    clock,
    random,
    async lendPrimary() {
      // The only client may be that of the transaction which this call comes from.
      if (max === 1) assertOutside(pool);
      return lendPrimary();
    },
  });
  const mark = (): Promise<Mark> => currentMark(db);
  const statuses = (): HostStatus[] =>
    hosts.map((host) => statusOf(host, topology.shown(host)?.asOfMs, clock.monotonic()));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    topology.close();
    closing ??= Promise.all(hosts.map((host) => host.close(plan.closeTimeoutMs))).then(() => undefined);
    return closing;
  };
  return {
    ...db,
    read: (readOptions) => read(readOptions),
    session: (sessionOptions) => createSession({ db, read, mark, clock }, sessionOptions),
    mark,
    hosts: statuses,
    async inspect() {
      await topology.rounds.run();
      return statuses();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Lent {
  readonly host: Host;
  readonly client: PgPoolClient;
}

/** Lends a client of the primary, wherever it is. */
async function lendFrom(topology: Topology): Promise<Lent> {
  for (let attempt = 1; ; attempt += 1) {
    const host = await topology.primary();
    try {
      return { host, client: await host.lend("primary") };
    } catch (error) {
      // Nothing was sent, so the call may wait for the next primary.
      if (!hasReason(error, "evicted") || attempt > 1) throw error;
      await topology.rounds.run();
    }
  }
}

async function currentMark(db: SqlDatabase): Promise<Mark> {
  try {
    const { rows } = await db.query<RoleRow>(rolesWithPosition);
    const position = rows[0] && positionIn(rows[0]);
    if (position) return markOf(position);
  } catch (error) {
    if (sqlState(error) === undefined || sqlFailure(error) !== "other") throw error;
  }
  // A server that does not tell: no replica will ever match.
  return markOf({ system: "0", timeline: 0, lsn: 0n });
}

function statusOf({ name, role, usage }: Host, asOfMs: number | undefined, nowMs: number): HostStatus {
  const isKnown = asOfMs !== undefined && Number.isFinite(asOfMs);
  return { host: name, role, ...usage, ...(isKnown ? { lagMs: nowMs - asOfMs } : {}) };
}
