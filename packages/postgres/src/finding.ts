import type { HostRole } from "./connect-errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import type { Line, Position } from "./mark.ts";

/** What a host said, or why it said nothing. */
export interface Finding {
  readonly host: string;
  readonly role: HostRole;
  /** When it was asked, by the monotonic clock of this process. What it says was true then or later. */
  readonly askedMs: number;
  /** On a primary where its log ends, on a replica how far it shows it. Absent where the server does not tell. */
  readonly position?: Position;
  /** Why it is `down` or `refused`. */
  readonly error?: unknown;
}

/** The row that {@link rolesWithPosition} answers. */
export interface RoleRow {
  readonly standby: boolean;
  readonly read_only: boolean;
  readonly system?: string | null;
  readonly timeline?: number | null;
  readonly lsn?: string | null;
}

/** Asks for the role alone, which every PostgreSQL answers to everybody. */
export const rolesAlone = `select pg_catalog.pg_is_in_recovery() as standby,
  pg_catalog.current_setting('transaction_read_only') = 'on' as read_only`;

// The timeline of a primary is in the name of the file it writes: its control file lags behind a promotion. A replica
// knows it from its receiver, whose row only members of pg_read_all_stats see in full, and from its last restartpoint.
// The end of the log is the insert position, because COMMIT may be acknowledged before its record is written.
const timeline = `case when pg_catalog.pg_is_in_recovery()
    then greatest((select received_tli from pg_catalog.pg_stat_wal_receiver limit 1),
      (select timeline_id from pg_catalog.pg_control_checkpoint()))
    else ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8))::bit(32)::int end`;
const lsn = `(case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
    else pg_catalog.pg_current_wal_insert_lsn() end - '0/0'::pg_lsn)::text`;

/** Asks for the role and for the position. Hosted servers may refuse it. */
export const rolesWithPosition = `${rolesAlone},
  (select system_identifier::text from pg_catalog.pg_control_system()) as system, ${timeline} as timeline, ${lsn} as lsn`;

/** The role that a row tells: `read-only` is neither a primary nor a replica, as a server that was fenced off. */
export function roleOf({ standby, read_only }: RoleRow): "primary" | "replica" | "read-only" {
  if (standby) return "replica";
  return read_only ? "read-only" : "primary";
}

/** The position that a row tells. */
export function positionIn({ system, timeline: number, lsn: end }: RoleRow): Position | undefined {
  return system && number && end ? { system, timeline: number, lsn: BigInt(end) } : undefined;
}

/** What an error says about the host: a server that refuses is alive, and those who are connected may stay. */
export function roleOfError(error: unknown): "refused" | "down" {
  const state = sqlState(error);
  return state === "53300" || (state !== undefined && sqlFailure(error) !== "unavailable") ? "refused" : "down";
}

/** What is known when hosts are compared. */
export interface Known {
  /** The host that was the primary. */
  readonly incumbent: string | undefined;
  /** The newest line that was written. */
  readonly line: Line | undefined;
  /** Hosts that must never be written. */
  readonly readersOnly: ReadonlySet<string>;
}

/**
 * Marks those `stale` that accept writes on a line which a promotion has left behind, as an old primary does that was
 * started again without being told.
 */
export function withStale(findings: readonly Finding[], { line }: Pick<Known, "line">): Finding[] {
  const newest = new Map<string, number>(line ? [[line.system, line.timeline]] : []);
  for (const { role, position } of findings) {
    if (role !== "primary" || !position) continue;
    newest.set(position.system, Math.max(newest.get(position.system) ?? 0, position.timeline));
  }
  return findings.map((finding) => {
    const { role, position } = finding;
    const isStale = role === "primary" && position && position.timeline < (newest.get(position.system) ?? 0);
    return isStale ? { ...finding, role: "stale" } : finding;
  });
}

/**
 * The host to write: one that accepts writes and is not stale. Of several the known cluster wins, then the incumbent,
 * then the order of the URLs; they are then two ways to one server, as two poolers are.
 */
export function newPrimary(findings: readonly Finding[], known: Known): Finding | undefined {
  const writable = findings.filter(({ host, role }) => role === "primary" && !known.readersOnly.has(host));
  const ours = writable.filter(({ position }) => position?.system === known.line?.system);
  const best = ours.length > 0 ? ours : writable;
  return best.find(({ host }) => host === known.incumbent) ?? best[0];
}
