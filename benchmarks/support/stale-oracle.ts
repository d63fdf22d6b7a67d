/** A row as the database has it. */
export interface Versioned {
  readonly id: number;
  readonly version: number;
}

/** Rows whose versions every write raises; knows which version a read may not fall behind. */
export class StaleOracle {
  readonly #versions: number[];
  /** The version that an invalidation vouches for, which had been completed. */
  readonly #vouched: number[];
  reads = 0;
  stale = 0;
  loads = 0;

  constructor(rows: number) {
    this.#versions = Array.from({ length: rows }, () => 0);
    this.#vouched = [...this.#versions];
  }

  row(id: number): Versioned {
    return { id, version: this.#versions[id] ?? 0 };
  }

  /** Commits a change, and then invalidates it. */
  async write(id: number, invalidate: () => Promise<unknown>): Promise<void> {
    const version = (this.#versions[id] ?? 0) + 1;
    this.#versions[id] = version;
    await invalidate();
    this.#vouched[id] = Math.max(version, this.#vouched[id] ?? 0);
  }

  /** Invalidates everything. */
  async flush(invalidate: () => Promise<unknown>): Promise<void> {
    const versions = [...this.#versions];
    await invalidate();
    for (const [id, version] of versions.entries()) this.#vouched[id] = Math.max(version, this.#vouched[id] ?? 0);
  }

  /** A read, which is stale when an invalidation had been completed before it began and it does not show. */
  async read(id: number, get: () => Promise<unknown>): Promise<void> {
    const floor = this.#vouched[id] ?? 0;
    const row = (await get()) as Versioned;
    if (row.id !== id) throw new Error(`There was row ${row.id} in the place of ${id}.`);
    this.reads += 1;
    if (row.version < floor) this.stale += 1;
  }
}
