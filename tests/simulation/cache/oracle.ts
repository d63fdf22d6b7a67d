/** A row as the database has it: a number that every commit raises. */
export interface Row {
  readonly id: number;
  readonly version: number;
  /** Loaded without the store, which others of the process may share: when that load began. */
  readonly degradedMs?: number;
}

interface Vouched {
  readonly version: number;
  readonly process: number;
  /** When it was applied, for the process that did it. */
  readonly ownMs: number;
  /** The same for others; Infinity when the server has forgotten it. */
  readonly atMs: number;
}

/** Where and when a read begins. */
export interface Reading {
  readonly nowMs: number;
  readonly process: number;
  /** Copies may be read for so long after an invalidation by another process. */
  readonly lagMs: number;
}

/**
 * Knows every commit and every invalidation, and so which versions a read may return: none from before an
 * invalidation that had been applied when the read began.
 */
export class Oracle {
  readonly #versions: number[];
  /** Per row, in the order in which they were applied. */
  readonly #vouched: Vouched[][];
  reads = 0;
  readonly violations: string[] = [];

  constructor(rows: number) {
    this.#versions = Array.from({ length: rows }, () => 0);
    this.#vouched = Array.from({ length: rows }, () => [{ version: 0, process: -1, ownMs: -1, atMs: -1 }]);
  }

  row(id: number): Row {
    return { id, version: this.#versions[id] ?? 0 };
  }

  commit(id: number): Row {
    this.#versions[id] = (this.#versions[id] ?? 0) + 1;
    return this.row(id);
  }

  /** An invalidation that covers what was committed up to these rows has been applied. */
  vouch(rows: readonly Row[], atMs: number, process: number): void {
    for (const { id, version } of rows) this.#vouched[id]?.push({ version, process, ownMs: atMs, atMs });
  }

  /** The oldest version that a read may return: what an invalidation vouches for that was applied before it began. */
  #floor({ id, degradedMs = Infinity }: Row, { nowMs, process, lagMs }: Reading): number {
    // Without the store nobody hears of others: a shared load may be as old as it is long.
    const knownMs = Math.min(nowMs - lagMs, degradedMs);
    const due = (this.#vouched[id] ?? []).filter(({ process: by, ownMs, atMs }) =>
      by === process ? ownMs <= nowMs : atMs <= knownMs,
    );
    return Math.max(...due.map(({ version }) => version));
  }

  /** A failover has lost what was applied since: only who applied it still knows. */
  forget(sinceMs: number): void {
    for (const vouched of this.#vouched) {
      for (const [index, each] of vouched.entries()) {
        if (each.ownMs > sinceMs) vouched[index] = { ...each, atMs: Number.POSITIVE_INFINITY };
      }
    }
  }

  /** Checks a value that a read has returned. */
  check(row: Row, reading: Reading): void {
    this.reads += 1;
    const floor = this.#floor(row, reading);
    if (row.version >= floor) return;
    const where = `process ${reading.process}, begun at ${reading.nowMs.toFixed(1)} ms`;
    this.violations.push(`${where}: row ${row.id} has version ${row.version}, ${floor} was vouched for`);
  }
}
