import type { Timer } from "@sluice/core";
import type pg from "pg";

import { PostgresUnknownError } from "./connect-errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import type { HostPlan } from "./host-plan.ts";
import type { PgPoolClient, PgResult } from "./pg.ts";
import { postgresEvents } from "./telemetry.ts";
import type { WatchedClient } from "./watched-client.ts";

/** A client that a pool has handed out. */
export type LentClient = WatchedClient & pg.PoolClient;

/** What the statements of a host tell about it. */
export interface HostWatch {
  /** The server answered, be it with a refusal. */
  answered(): void;
  /** A statement waits longer than usual. */
  slow(): void;
  /** An error that a host gives when it has lost its role, or its life. */
  suspect(): void;
}

// The server ends a statement by itself at its timeout. This is for one that no longer answers.
const graceMs = 500;
// Work that chooses its own limit, as a migration does, has the server's alone.
const liftsTimeout = /\bset(?:_config|\s+local)\b[^;]*\bstatement_timeout\b/i;

/** A lent client whose statements all end: with an answer, or with the client. */
export function guardedClient(client: LentClient, plan: HostPlan, watch: HostWatch): PgPoolClient {
  let deadlineMs = plan.statementTimeoutMs === 0 ? Number.POSITIVE_INFINITY : plan.statementTimeoutMs + graceMs;
  return {
    async query(text, values) {
      if (liftsTimeout.test(text)) deadlineMs = Number.POSITIVE_INFINITY;
      const patience = wait(client, { plan, watch, deadlineMs });
      try {
        const result: PgResult = await client.query(text, values);
        watch.answered();
        return result;
      } catch (error) {
        if (isOfRole(error) || client.doom) watch.suspect();
        else watch.answered();
        throw client.doom ?? error;
      } finally {
        patience.stop();
      }
    },
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
    end: () => client.end(),
    // Absent in older versions of `pg`.
    getTransactionStatus: () => client.getTransactionStatus?.() ?? null,
    release(destroy) {
      // Without this the pool would say goodbye, and wait until the server has heard it.
      if (destroy) client.destroy(client.doom ?? new Error("The client is not fit for use any more"));
      client.release(destroy);
    },
  };
}

// 25006: a write was refused, because the server or the transaction is read-only.
function isOfRole(error: unknown): boolean {
  return sqlState(error) === "25006" || sqlFailure(error) === "unavailable";
}

interface Wait {
  readonly plan: HostPlan;
  readonly watch: HostWatch;
  readonly deadlineMs: number;
}

/** Says every `probeMs` that an answer is due, and destroys the client at the deadline. One timer at a time. */
function wait(client: WatchedClient, { plan, watch, deadlineMs }: Wait): { stop(): void } {
  const { clock, name, probeMs } = plan;
  const dueMs = clock.monotonic() + deadlineMs;
  let timer: Timer;
  const arm = (): void => {
    timer = clock.schedule(Math.min(probeMs, dueMs - clock.monotonic()), look);
  };
  const look = (): void => {
    if (clock.monotonic() < dueMs) {
      watch.slow();
      arm();
      return;
    }
    client.destroy(new PostgresUnknownError("deadline", name));
    postgresEvents.publish({ type: "client-destroyed", host: name, reason: "deadline" });
  };
  arm();
  return { stop: () => timer.cancel() };
}
