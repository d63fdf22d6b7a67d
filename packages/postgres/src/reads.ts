import { InvalidArgumentError, type Clock, type Random } from "@sluice/core";

import { hasReason } from "./connect-errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import { isSameLine } from "./freshness.ts";
import type { Host } from "./host.ts";
import { positionOf, type Mark, type Position } from "./mark.ts";
import { fromPg, type PgPool, type PgPoolClient } from "./pg.ts";
import type { Sql, SqlDatabase, TransactionOptions } from "./sql.ts";
import { postgresEvents, type RouteReason } from "./telemetry.ts";
import type { Topology } from "./topology.ts";

/** What a read has to see. */
export interface ReadOptions {
  /** Everything before this mark. Default: what is at most `maxLagMs` old. */
  readonly after?: Mark;
}

/** What decides where a read goes. */
export interface ReadPlan {
  readonly topology: Topology;
  /** Hosts that may serve reads when they are replicas. */
  readonly replicas: readonly Host[];
  readonly max: number;
  readonly maxLagMs: number;
  readonly clock: Clock;
  readonly random: Random;
  lendPrimary(): Promise<{ readonly client: PgPoolClient; readonly host: Host }>;
}

/** What this one read has to see. */
interface Need {
  readonly after: Position | undefined;
  /** Everything that was committed before this moment of the monotonic clock. */
  readonly sinceMs: () => number;
}

/** Where a statement went. */
interface Trip {
  onReplica: boolean;
  /** Set when a replica has failed this read before. */
  reason?: RouteReason;
}

// From the least to the most telling: with several replicas, the event has one reason.
const reasons: readonly RouteReason[] = ["no-replica", "replica-down", "replica-lagging", "not-replayed"];

/** @param sinceMs - The moment whose commits a read has to see, by the monotonic clock. */
export type OpenReads = (options?: ReadOptions, sinceMs?: () => number) => SqlDatabase;

/** Reads that go to a replica when one is fit, else to the primary. Finding out costs no round trip. */
export function createReads(plan: ReadPlan): OpenReads {
  const { topology, maxLagMs } = plan;

  function choose(need: Need): Host | RouteReason {
    let reason = 0;
    const fit: Host[] = [];
    for (const host of plan.replicas) {
      if (host === topology.current()) continue;
      const why = unfit(host, need, plan);
      if (why === undefined) fit.push(host);
      else reason = Math.max(reason, reasons.indexOf(why));
    }
    return leastBusy(fit, plan.random) ?? reasons[reason] ?? "no-replica";
  }

  /** Lends a client of a replica, or says why none is fit. */
  async function lendReplica(need: Need): Promise<PgPoolClient | RouteReason> {
    if (plan.replicas.length === 0) return "no-replica";
    await topology.rounds.within(maxLagMs);
    topology.rounds.touch();
    const choice = choose(need);
    if (typeof choice !== "object") return choice;
    try {
      const client = await choice.lend("replica");
      postgresEvents.publish({ type: "route", target: "replica", host: choice.name });
      return client;
    } catch (error) {
      // A crowd at the replicas must not fall upon the primary.
      if (hasReason(error, "pool-exhausted")) throw error;
      return "replica-down";
    }
  }

  async function connect(need: Need, trip: Trip): Promise<PgPoolClient> {
    const lent = trip.reason ?? (await lendReplica(need));
    trip.onReplica = typeof lent === "object";
    if (typeof lent === "object") return lent;
    const { client, host } = await plan.lendPrimary();
    postgresEvents.publish({ type: "route", target: "primary", host: host.name, reason: lent });
    return client;
  }

  return ({ after } = {}, sinceMs = () => Number.NEGATIVE_INFINITY) => {
    const need = { after: after === undefined ? undefined : positionOf(after), sinceMs };
    const over = (trip: Trip): SqlDatabase => fromPg(poolOf(plan.max, () => connect(need, trip)));
    return {
      kind: "database",
      query: <Row>(text: string, params?: readonly unknown[]) => rerun(over, (sql) => sql.query<Row>(text, params)),
      script: (text) => rerun(over, (sql) => sql.script(text)),
      async transaction(work, options = {}) {
        return over({ onReplica: false }).transaction(work, readOnly(options));
      },
    };
  };
}

function unfit(host: Host, { after, sinceMs }: Need, { topology, clock, maxLagMs }: ReadPlan): RouteReason | undefined {
  if (host.role !== "replica") return isGone(host) ? "replica-down" : "no-replica";
  const shown = topology.shown(host);
  if (!shown || clock.monotonic() - shown.asOfMs > maxLagMs) return "replica-lagging";
  if (shown.asOfMs < sinceMs()) return "not-replayed";
  if (!after) return undefined;
  return isSameLine(after, shown.position) && after.lsn <= shown.position.lsn ? undefined : "not-replayed";
}

/** A pool as `fromPg` wants it, whose clients come from elsewhere. */
export function poolOf(max: number, connect: () => Promise<PgPoolClient>): PgPool {
  return { connect, totalCount: 0, options: { max } };
}

/** Repeats a lone read on the primary when its replica was lost, or had to cancel it to go on replaying. */
async function rerun<T>(over: (trip: Trip) => SqlDatabase, read: (sql: Sql) => Promise<T>): Promise<T> {
  const trip: Trip = { onReplica: false };
  try {
    return await read(over(trip));
  } catch (error) {
    const isLost = sqlFailure(error) === "unavailable" || sqlState(error) === "40001";
    if (!trip.onReplica || !isLost) throw error;
    return read(over({ onReplica: false, reason: "replica-down" }));
  }
}

function readOnly(options: TransactionOptions): TransactionOptions {
  if (options.isolation === "serializable") {
    throw new InvalidArgumentError("isolation", `"read committed" or "repeatable read" for reads`, options.isolation);
  }
  if (options.readOnly === false) throw new InvalidArgumentError("readOnly", "true for reads", false);
  return { ...options, readOnly: true };
}

function leastBusy(hosts: readonly Host[], random: Random): Host | undefined {
  const least = Math.min(...hosts.map(busy));
  const idlest = hosts.filter((host) => busy(host) === least);
  return idlest.length > 1 ? idlest[random.integer(0, idlest.length)] : idlest[0];
}

function busy({ usage }: Host): number {
  return usage.totalCount - usage.idleCount + usage.waitingCount;
}

function isGone({ role }: Host): boolean {
  return role === "down" || role === "refused" || role === "unknown";
}
