import { eventChannel, traceChannel } from "@sluice/core";

import type { HostRole } from "./connect-errors.ts";
import type { Isolation } from "./sql.ts";

/**
 * Why a read went to the primary, where replicas are wanted: `no-replica` there is none, `replica-down` none answers,
 * `replica-lagging` none is fresh enough, or it follows another line, `not-replayed` none shows the write that the
 * reader has to see.
 */
export type RouteReason = "no-replica" | "replica-down" | "replica-lagging" | "not-replayed";

/** What happened to transactions, migrations and connections. Events hold no SQL, no parameters and no password. */
export type PostgresEvent =
  | {
      readonly type: "transaction-retried";
      /** The attempt that failed, from 1. */
      readonly attempt: number;
      /** Why: `"40001"` or `"40P01"`. */
      readonly sqlState: string | undefined;
      /** How long the next attempt waits. Unit: ms. */
      readonly delayMs: number;
    }
  | {
      readonly type: "transaction-gave-up";
      /** How many attempts were made. */
      readonly attempts: number;
      readonly sqlState: string | undefined;
    }
  | { readonly type: "commit-unknown" }
  | {
      readonly type: "migration-applied";
      readonly package: string;
      readonly name: string;
      /** From BEGIN to COMMIT, with the wait for the lock. Unit: ms. */
      readonly durationMs: number;
    }
  | {
      /** A read was sent. */
      readonly type: "route";
      readonly target: "primary" | "replica";
      readonly host: string;
      /** Absent on a replica. */
      readonly reason?: RouteReason;
    }
  | {
      readonly type: "primary-found";
      readonly host: string;
      /** Since the first sign that the one before was lost. Unit: ms. */
      readonly afterMs: number;
    }
  | {
      readonly type: "primary-lost";
      readonly host: string;
      /** What it was found to be. */
      readonly role: HostRole;
    }
  | {
      /** All clients of a host that lost its role were destroyed. */
      readonly type: "host-evicted";
      readonly host: string;
      readonly role: HostRole;
      readonly clients: number;
    }
  | {
      /** A statement got no answer within its deadline. */
      readonly type: "client-destroyed";
      readonly host: string;
      readonly reason: "deadline";
    };

/** The facts that accompany a traced transaction: all attempts of one {@link withTransaction}. */
export interface TransactionTrace {
  readonly isolation: Isolation | undefined;
  /** The attempt under way, from 1. */
  attempt: number;
}

/** The facts that accompany a traced {@link migrate}. */
export interface MigrateTrace {
  readonly package: string;
  readonly schema: string;
}

/** The events of this package, on the channel `sluice:postgres` of `node:diagnostics_channel`. */
export const postgresEvents = eventChannel<PostgresEvent>("sluice:postgres");

/** Every {@link withTransaction}, on the tracing channel `sluice:postgres:transaction`. */
export const transactionTraces = traceChannel<TransactionTrace>("sluice:postgres:transaction");

/** Every {@link migrate}, on the tracing channel `sluice:postgres:migrate`. */
export const migrateTraces = traceChannel<MigrateTrace>("sluice:postgres:migrate");
