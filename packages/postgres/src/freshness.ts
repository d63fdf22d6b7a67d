import type { Finding } from "./finding.ts";
import type { Position } from "./mark.ts";

/** What a replica is known to show. */
export interface Shown {
  /** Everything that was committed before this moment of the monotonic clock of this process is shown. */
  readonly asOfMs: number;
  /** Everything up to here is shown. */
  readonly position: Position;
}

/** Knows how old the data of each replica is. */
export interface Freshness {
  /** Takes note of what the hosts said at one time. Without a primary, replicas only grow older. */
  note(findings: readonly Finding[], primary: Finding | undefined): void;
  /** What the replica shows, unless that is not known. */
  of(host: string): Shown | undefined;
}

const longestHistory = 64;

/**
 * Compares how far replicas have come with where the log of the primary ended, at times of one clock: that of this
 * process. A replica that has come to where the log ended at some time shows all that was committed before. So no clock
 * of a server counts, and a primary without writes makes no replica look old. Keeps 64 ends of the log.
 */
export function createFreshness(): Freshness {
  let ends: { readonly position: Position; readonly atMs: number }[] = [];
  const shown = new Map<string, Shown>();

  function noteEnd({ position, askedMs }: Finding): void {
    const last = ends.at(-1)?.position;
    if (!position || (last && !isSameLine(last, position))) {
      // What replicas have shown of another line says nothing about this one.
      ends = [];
      shown.clear();
    }
    if (position) ends = [...ends.slice(1 - longestHistory), { position, atMs: askedMs }];
  }

  function noteReplica({ host, position }: Finding): void {
    const line = ends.at(-1)?.position;
    if (!position || !line || !isSameLine(position, line)) {
      shown.delete(host);
      return;
    }
    const reached = ends.findLast((end) => end.position.lsn <= position.lsn)?.atMs;
    const asOfMs = Math.max(reached ?? Number.NEGATIVE_INFINITY, shown.get(host)?.asOfMs ?? Number.NEGATIVE_INFINITY);
    shown.set(host, { asOfMs, position });
  }

  return {
    note(findings, primary) {
      if (primary) noteEnd(primary);
      for (const finding of findings) {
        if (finding.role === "replica") noteReplica(finding);
        else shown.delete(finding.host);
      }
    },
    of: (host) => shown.get(host),
  };
}

/** Whether positions on both can be compared. */
export function isSameLine(one: Position, other: Position): boolean {
  return one.system === other.system && one.timeline === other.timeline;
}
