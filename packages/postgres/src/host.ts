import { type HostRole, PostgresUnavailableError } from "./connect-errors.ts";
import { roleOf, rolesAlone, type Finding, type RoleRow } from "./finding.ts";
import { clientConfig, type HostPlan } from "./host-plan.ts";
import { createHostPool, type HostPool, type PoolUsage } from "./host-pool.ts";
import type { PgPoolClient } from "./pg.ts";
import { createProbe } from "./probe.ts";
import { postgresEvents } from "./telemetry.ts";

/** One server: its pool, its probe, and what is known about it. */
export interface Host {
  readonly name: string;
  readonly usage: PoolUsage;
  /** What it was when it was last asked. */
  readonly role: HostRole;
  /** When it last answered a statement, by the monotonic clock. */
  readonly answeredMs: number;
  /** Asks what it is. Never rejects. */
  ask(): Promise<Finding>;
  /** Keeps what its last finding amounts to, all findings taken together. */
  note(role: HostRole): void;
  /**
   * Lends a client. A new one first proves that the host has the role; one that has lost it is evicted.
   *
   * @throws `ERR_SLUICE_POSTGRES_UNAVAILABLE`
   */
  lend(role: "primary" | "replica"): Promise<PgPoolClient>;
  /** Tells all who wait for a client that none will come. */
  refuse(error: () => Error): void;
  /** Destroys all its clients. Whatever is under way fails; nothing is sent again. */
  evict(): void;
  /** Ends the connection of the probe until it is needed again. */
  rest(): void;
  close(graceMs: number): Promise<void>;
}

const idle: PoolUsage = { totalCount: 0, idleCount: 0, waitingCount: 0 };

/**
 * A host that nothing is connected to yet.
 *
 * @param watch - Hears of slow statements, and of errors that a host gives when it has lost its role or its life.
 */
export function createHost(plan: HostPlan, watch: { slow(): void; suspect(host: Host): void }): Host {
  const { name, clock } = plan;
  const probe = createProbe(plan);
  let role: HostRole = "unknown";
  let answeredMs = Number.NEGATIVE_INFINITY;
  let pool: HostPool | undefined;
  let isClosed = false;

  function openPool(): HostPool {
    const opened = createHostPool(plan, clientConfig(plan, probe.behindPooler), {
      answered: () => (answeredMs = clock.monotonic()),
      slow: () => watch.slow(),
      // What is heard from clients that were destroyed with their pool says nothing new.
      suspect: () => (pool === opened ? watch.suspect(host) : undefined),
    });
    return opened;
  }

  const unavailable = (reason: "closed" | "evicted") => new PostgresUnavailableError(reason, [{ host: name, role }]);

  const host: Host = {
    name,
    get usage() {
      return pool?.usage ?? idle;
    },
    get role() {
      return role;
    },
    get answeredMs() {
      return answeredMs;
    },
    ask: () => probe.ask(),
    note: (found) => void (role = found),
    async lend(wanted) {
      if (isClosed) throw unavailable("closed");
      pool ??= openPool();
      return pool.lend(async (client) => {
        if ((await currentRole(client)) === wanted) return;
        watch.suspect(host);
        throw unavailable("evicted");
      });
    },
    refuse: (error) => pool?.refuse(error),
    evict() {
      const left = pool;
      pool = undefined;
      if (!left) return;
      left.refuse(() => unavailable("evicted"));
      postgresEvents.publish({ type: "host-evicted", host: name, role, clients: left.destroy("evicted") });
    },
    rest: () => probe.rest(),
    async close(graceMs) {
      isClosed = true;
      probe.close();
      pool?.refuse(() => unavailable("closed"));
      await pool?.close(graceMs);
    },
  };
  return host;
}

async function currentRole(client: PgPoolClient): Promise<HostRole> {
  const { rows } = await client.query(rolesAlone);
  const [row] = rows as RoleRow[];
  return row ? roleOf(row) : "unknown";
}
