import { eventChannel, traceChannel } from "@sluice/core";

import type { Isolation } from "./sql.ts";

/** What happened in {@link withTransaction}, {@link migrate} or a COMMIT. Events hold no SQL and no parameters. */
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
