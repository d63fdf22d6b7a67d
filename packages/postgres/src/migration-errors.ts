import { SluiceError } from "@sluice/core";

/** A migration that the database has applied reads differently now. Nothing was done. Write a new one instead. */
export class MigrationEditedError extends SluiceError {
  override readonly code = "ERR_SLUICE_MIGRATION_EDITED";
  readonly package: string;
  readonly migration: string;
  /** SHA-256 of what the database applied, in hex. */
  readonly appliedChecksum: string;
  /** SHA-256 of what was given now, in hex. */
  readonly givenChecksum: string;

  constructor(facts: Pick<MigrationEditedError, "package" | "migration" | "appliedChecksum" | "givenChecksum">) {
    super(
      `Migration ${facts.package}/${facts.migration} was edited after it had been applied: ` +
        `applied ${facts.appliedChecksum}, given ${facts.givenChecksum}. Restore it and write a new migration.`,
    );
    this.package = facts.package;
    this.migration = facts.migration;
    this.appliedChecksum = facts.appliedChecksum;
    this.givenChecksum = facts.givenChecksum;
  }
}

/** The migrations given and those applied are not one sequence. Nothing was done. */
export class MigrationOrderError extends SluiceError {
  override readonly code = "ERR_SLUICE_MIGRATION_ORDER";
  readonly package: string;
  /** The migration that does not fit. */
  readonly migration: string;

  constructor(packageName: string, migration: string, problem: string) {
    super(`Migration ${packageName}/${migration} ${problem}`);
    this.package = packageName;
    this.migration = migration;
  }
}

/** A migration failed. It left nothing of itself; those before it stay applied. `cause` is the server's error. */
export class MigrationFailedError extends SluiceError {
  override readonly code = "ERR_SLUICE_MIGRATION_FAILED";
  readonly package: string;
  readonly migration: string;
  /** Line of the migration at which the server stopped, from 1. `undefined` when it named none. */
  readonly line: number | undefined;

  constructor(packageName: string, migration: string, { line, cause }: { line?: number | undefined; cause: unknown }) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Migration ${packageName}/${migration} failed${line === undefined ? "" : ` at line ${line}`}: ${reason}`, {
      cause,
    });
    this.package = packageName;
    this.migration = migration;
    this.line = line;
  }
}

/** Another process migrates this schema and did not finish within `lockTimeout`. Nothing was done. */
export class MigrationLockedError extends SluiceError {
  override readonly code = "ERR_SLUICE_MIGRATION_LOCKED";
  readonly schema: string;
  /** How long this process waited. Unit: ms. */
  readonly lockTimeoutMs: number;

  constructor(schema: string, lockTimeoutMs: number, options?: ErrorOptions) {
    super(`Another process has been migrating schema "${schema}" for more than ${lockTimeoutMs} ms.`, options);
    this.schema = schema;
    this.lockTimeoutMs = lockTimeoutMs;
  }
}
