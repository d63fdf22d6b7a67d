import { InvalidArgumentError } from "@sluice/core";

/**
 * A point in the history of a database, as text without spaces that any process can carry: in a session, a cookie, a
 * job. What was committed before {@link Postgres.mark} was called lies before it. Forged, it can only send reads to the
 * primary.
 */
export type Mark = string;

/** The history that a server writes. A promotion begins a new timeline; another cluster has another system. */
export interface Line {
  readonly system: string;
  readonly timeline: number;
}

/** A position in the write-ahead log of one line. */
export interface Position extends Line {
  readonly lsn: bigint;
}

/** The position as text, with the version of this format. */
export function markOf({ system, timeline, lsn }: Position): Mark {
  return `m1.${system}.${timeline}.${lsn.toString(16)}`;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` for what {@link markOf} did not write. */
export function positionOf(mark: Mark): Position {
  const [, system, timeline, lsn] = /^m1\.(\d{1,20})\.(\d{1,10})\.([0-9a-f]{1,16})$/.exec(mark) ?? [];
  if (system === undefined || timeline === undefined || lsn === undefined) {
    throw new InvalidArgumentError("after", "a mark of this package", mark);
  }
  return { system, timeline: Number(timeline), lsn: BigInt(`0x${lsn}`) };
}
