export {
  PostgresUnavailableError,
  PostgresUnknownError,
  type HostFinding,
  type HostRole,
  type PostgresUnavailableReason,
  type PostgresUnknownReason,
} from "./connect-errors.ts";
export { CommitUnknownError, NestedUseError, TransactionAbortedError, TransactionEndedError } from "./errors.ts";
export { sqlFailure, sqlState, type SqlFailure } from "./failure.ts";
export { quoteIdentifier } from "./identifier.ts";
export { migrate, type MigrateOptions, type MigrateReport } from "./migrate.ts";
export {
  MigrationEditedError,
  MigrationFailedError,
  MigrationLockedError,
  MigrationOrderError,
} from "./migration-errors.ts";
export type { Migration } from "./migration.ts";
export { fromPg, fromPgTransaction, type PgClient, type PgPool, type PgPoolClient, type PgResult } from "./pg.ts";
export { readMigrations } from "./read-migrations.ts";
export { sluiceNow } from "./sluice-now.ts";
export type { Isolation, Sql, SqlDatabase, SqlResult, SqlTransaction, TransactionOptions } from "./sql.ts";
export type { MigrateTrace, PostgresEvent, RouteReason, TransactionTrace } from "./telemetry.ts";
export { withTransaction, type RetryOptions, type TransactionRun, type TransactionWork } from "./with-transaction.ts";
