import pg from "pg";

import {
  PostgresUnavailableError,
  type PostgresUnavailableReason,
  PostgresUnknownError,
  type PostgresUnknownReason,
} from "./connect-errors.ts";
import { roleOfError } from "./finding.ts";
import { guardedClient, type HostWatch, type LentClient } from "./guarded-client.ts";
import type { HostPlan } from "./host-plan.ts";
import type { PgPoolClient } from "./pg.ts";
import { createWaiting } from "./waiting.ts";
import { WatchedClient, type ClientWatch } from "./watched-client.ts";

/** How many clients a pool has, named as by `pg`. */
export interface PoolUsage {
  readonly totalCount: number;
  readonly idleCount: number;
  /** Calls without a client. */
  readonly waitingCount: number;
}

/** The clients of one host, until it is left. */
export interface HostPool {
  readonly usage: PoolUsage;
  /**
   * Lends a client. A new one is proven first.
   *
   * @throws `ERR_SLUICE_POSTGRES_UNAVAILABLE`; nothing was sent.
   */
  lend(prove: (client: PgPoolClient) => Promise<void>): Promise<PgPoolClient>;
  /** Tells all who wait for a client that none will come. */
  refuse(error: () => Error): void;
  /** Destroys every client, lent or not. Returns how many there were. */
  destroy(reason: PostgresUnknownReason): number;
  /** Lets what is lent come back, and destroys it after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A pool of `pg` whose waits all end, and whose clients can be taken back at any time. */
export function createHostPool(plan: HostPlan, config: pg.ClientConfig, watch: HostWatch): HostPool {
  const { clock, name } = plan;
  const clients = new Set<WatchedClient>();
  const proven = new WeakSet<WatchedClient>();
  const waiting = createWaiting<LentClient>(clock, plan.acquireTimeoutMs);
  const pool = openPool(plan, { config, clients });
  // An idle client has lost its socket.
  pool.on("error", () => watch.suspect());

  async function connect(): Promise<LentClient> {
    try {
      return (await pool.connect()) as LentClient;
    } catch (error) {
      watch.suspect();
      throw unavailable(name, "not-connected", error);
    }
  }

  return {
    get usage() {
      const { totalCount, idleCount } = pool;
      return { totalCount, idleCount, waitingCount: waiting.size };
    },
    async lend(prove) {
      // Calls for which a client is there do not wait.
      if (waiting.size - pool.idleCount >= plan.maxWaiting) throw unavailable(name, "pool-exhausted");
      const client = await waiting.join(connect(), {
        late: (unwanted) => unwanted.release(),
        expired: () => unavailable(name, "pool-exhausted"),
      });
      const guarded = guardedClient(client, plan, watch);
      if (proven.has(client)) return guarded;
      try {
        await prove(guarded);
      } catch (error) {
        guarded.release(true);
        throw error;
      }
      proven.add(client);
      return guarded;
    },
    refuse: (error) => waiting.refuse(error),
    destroy(reason) {
      const count = clients.size;
      for (const client of clients) client.destroy(new PostgresUnknownError(reason, name));
      // It waits for what is lent to come back, which nobody needs to.
      void pool.end();
      return count;
    },
    async close(graceMs) {
      const late = Promise.withResolvers<void>();
      const timer = clock.schedule(graceMs, () => late.resolve());
      await Promise.race([pool.end(), late.promise]);
      timer.cancel();
      for (const client of clients) client.destroy(new PostgresUnknownError("closed", name));
    },
  };
}

function openPool(
  { max, idleTimeoutMs, clock, connectTimeoutMs }: HostPlan,
  { config, clients }: { config: pg.ClientConfig; clients: Set<WatchedClient> },
): pg.Pool {
  const Client = kind({ clock, connectTimeoutMs, clients });
  return new pg.Pool({ ...config, max, idleTimeoutMillis: idleTimeoutMs, Client });
}

function unavailable(host: string, reason: PostgresUnavailableReason, cause?: unknown): PostgresUnavailableError {
  const role = cause === undefined ? "unknown" : roleOfError(cause);
  return new PostgresUnavailableError(reason, [{ host, role }], cause === undefined ? {} : { cause });
}

function kind(watch: ClientWatch): new (config?: pg.ClientConfig) => WatchedClient {
  return class extends WatchedClient {
    constructor(config?: pg.ClientConfig) {
      super(config, watch);
    }
  };
}
