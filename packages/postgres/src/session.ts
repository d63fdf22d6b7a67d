import { type Clock, InvalidArgumentError } from "@sluice/core";

import { positionOf, type Mark } from "./mark.ts";
import type { OpenReads } from "./reads.ts";
import type { SqlDatabase } from "./sql.ts";

/** What a session begins with. */
export interface SessionOptions {
  /** What its reads see from the start: the mark of an earlier session, for instance from a cookie. */
  readonly after?: Mark;
  /**
   * Reads stay on the primary for at least this long after a write, for effects that follow it at a distance, such as
   * those of a job. Not needed to see the write itself. Default 0 ms.
   */
  readonly stickyMs?: number;
}

/** One user's view of the database. Whatever is sent through it, other than by `read`, counts as a write. */
export interface PostgresSession extends SqlDatabase {
  /** Reads that see the session's own writes. On a replica once one is known to show them, else on the primary. */
  read(): SqlDatabase;
  /** A mark after the session's writes, for its next session. One round trip to the primary. */
  mark(): Promise<Mark>;
}

/** What a session stands on. */
export interface SessionGround {
  readonly db: SqlDatabase;
  readonly read: OpenReads;
  readonly mark: () => Promise<Mark>;
  readonly clock: Clock;
}

/** A session in this process. It remembers one moment: that of its last write. */
export function createSession(
  { db, read, mark, clock }: SessionGround,
  { after, stickyMs = 0 }: SessionOptions = {},
): PostgresSession {
  if (!(Number.isFinite(stickyMs) && stickyMs >= 0)) {
    throw new InvalidArgumentError("stickyMs", "a finite number of milliseconds, at least 0", stickyMs);
  }
  if (after !== undefined) positionOf(after);
  let wroteMs = Number.NEGATIVE_INFINITY;
  const writing = async <T>(write: Promise<T>): Promise<T> => {
    try {
      return await write;
    } finally {
      // A write that failed may have been applied all the same.
      wroteMs = clock.monotonic();
    }
  };
  const sinceMs = (): number => (clock.monotonic() < wroteMs + stickyMs ? Number.POSITIVE_INFINITY : wroteMs);
  return {
    kind: "database",
    query: (text, params) => writing(db.query(text, params)),
    script: (text) => writing(db.script(text)),
    transaction: (work, options) => writing(db.transaction(work, options)),
    read: () => read(after === undefined ? {} : { after }, sinceMs),
    mark,
  };
}
