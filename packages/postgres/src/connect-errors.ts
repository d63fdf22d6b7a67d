import { SluiceError } from "@sluice/core";

/** What a host turned out to be when it was asked. `stale` accepts writes, on a line that a promotion has left behind. */
export type HostRole = "primary" | "replica" | "read-only" | "stale" | "refused" | "down" | "unknown";

/** A host, and what it was last found to be. */
export interface HostFinding {
  /** Name and port, without user and password. */
  readonly host: string;
  readonly role: HostRole;
}

/**
 * Why a call was not sent:
 *
 * - `no-primary`: none of the hosts accepts writes. They are asked again once a second, whether anybody calls or not.
 * - `refused`: as before, and all hosts that answer refuse this user, password or database.
 * - `not-connected`: the connection that the call wanted could not be made.
 * - `pool-exhausted`: all clients were taken for as long as the call may wait, or too many calls wait already.
 * - `evicted`: the host lost its role while the call waited.
 * - `closed`: the database was closed.
 */
export type PostgresUnavailableReason =
  | "no-primary"
  | "refused"
  | "not-connected"
  | "pool-exhausted"
  | "evicted"
  | "closed";

/** The call was not sent, so it had no effect. `cause` is the driver's error, where one is to blame. */
export class PostgresUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_POSTGRES_UNAVAILABLE";
  /** Whether the call had an effect: certainly not. */
  readonly applied = "no";
  /** What stood in the way. */
  readonly reason: PostgresUnavailableReason;
  /** The hosts that were considered, as they were found. */
  readonly hosts: readonly HostFinding[];

  /** @param hosts - The hosts that were considered. */
  constructor(reason: PostgresUnavailableReason, hosts: readonly HostFinding[], options?: ErrorOptions) {
    const found = hosts.map(({ host, role }) => `${host} is ${role}`).join(", ");
    super(`PostgreSQL did not take the call (${reason}): ${found}`, options);
    this.reason = reason;
    this.hosts = hosts;
  }
}

/** Why the wait for an answer ended. */
export type PostgresUnknownReason = "deadline" | "evicted" | "closed";

/**
 * The statement was sent and its client was destroyed before an answer came: outside of a transaction it may have been
 * applied. Inside of one, nothing is applied without COMMIT, and a lost COMMIT is `ERR_SLUICE_COMMIT_UNKNOWN`.
 */
export class PostgresUnknownError extends SluiceError {
  override readonly code = "ERR_SLUICE_POSTGRES_UNKNOWN";
  /** Whether the statement had an effect: nobody here knows. */
  readonly applied = "unknown";
  /** What ended the wait. */
  readonly reason: PostgresUnknownReason;
  /** Name and port, without user and password. */
  readonly host: string;

  constructor(reason: PostgresUnknownReason, host: string) {
    super(`PostgreSQL at ${host} took the statement and did not answer (${reason}); its client was destroyed.`);
    this.reason = reason;
    this.host = host;
  }
}

/** Whether a call was not sent for this reason. */
export function hasReason(error: unknown, reason: PostgresUnavailableReason): boolean {
  return error instanceof PostgresUnavailableError && error.reason === reason;
}
