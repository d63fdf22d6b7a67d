import type { PackageTelemetry } from "../package-telemetry.ts";

// The duration of a transaction is not db.client.operation.duration: that metric is for one round trip, and the
// instrumentation of the driver records it for every statement inside.
export const postgres = {
  name: "postgres",
  constants: { "db.system.name": "postgresql" },
  events: {
    "transaction-retried": [
      {
        instrument: "counter",
        name: "sluice.postgres.transaction.retries",
        unit: "{retry}",
        description: "Attempts of a transaction that failed and were followed by another.",
        attributes: { "db.response.status_code": "sqlState" },
      },
      {
        instrument: "histogram",
        name: "sluice.postgres.transaction.retry.delay",
        unit: "s",
        description: "Waits between two attempts of a transaction.",
        value: "delayMs",
        scale: 0.001,
      },
    ],
    "transaction-gave-up": [
      {
        instrument: "counter",
        name: "sluice.postgres.transaction.exhausted",
        unit: "{transaction}",
        description: "Transactions that failed in their last attempt.",
        attributes: { "db.response.status_code": "sqlState" },
      },
    ],
    "commit-unknown": [
      {
        instrument: "counter",
        name: "sluice.postgres.transaction.unknown_commits",
        unit: "{transaction}",
        description: "Transactions whose COMMIT had no answer.",
      },
    ],
    "migration-applied": [
      {
        instrument: "histogram",
        name: "sluice.postgres.migration.duration",
        unit: "s",
        description: "Migrations that were applied, from BEGIN to COMMIT.",
        attributes: { "sluice.migration.package": "package" },
        value: "durationMs",
        scale: 0.001,
      },
    ],
    route: [
      {
        instrument: "counter",
        name: "sluice.postgres.reads",
        unit: "{read}",
        description: "Reads that may go to a replica, by where they went and why to the primary.",
        attributes: { "sluice.postgres.target": "target", "sluice.postgres.route.reason": "reason" },
      },
    ],
    "primary-lost": [
      {
        instrument: "counter",
        name: "sluice.postgres.primary.lost",
        unit: "{loss}",
        description: "Times that the primary was lost, by what it was found to be.",
        attributes: { "sluice.postgres.role": "role" },
      },
    ],
    "primary-found": [
      {
        instrument: "histogram",
        name: "sluice.postgres.primary.absence",
        unit: "s",
        description: "Times without a primary, from the first sign of its loss to the next one.",
        value: "afterMs",
        scale: 0.001,
      },
    ],
    "host-evicted": [
      {
        instrument: "counter",
        name: "sluice.postgres.clients.evicted",
        unit: "{client}",
        description: "Clients that were destroyed because their host had lost its role.",
        attributes: { "sluice.postgres.role": "role" },
        amount: "clients",
      },
    ],
    "client-destroyed": [
      {
        instrument: "counter",
        name: "sluice.postgres.clients.destroyed",
        unit: "{client}",
        description: "Clients that were destroyed because a statement got no answer.",
        attributes: { "sluice.postgres.reason": "reason" },
      },
    ],
  },
  operations: {
    transaction: {
      attributes: { "sluice.postgres.isolation": "isolation" },
      spanAttributes: { "sluice.postgres.attempts": "attempt" },
    },
    migrate: {
      attributes: { "sluice.migration.package": "package" },
      spanAttributes: { "sluice.postgres.schema": "schema" },
    },
  },
} as const satisfies PackageTelemetry;
