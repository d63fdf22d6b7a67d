/** Whether anything was announced about a key since the cell was made. */
export interface Cell {
  readonly key: string;
  dead: boolean;
  holders: number;
}

/**
 * One cell per key that a copy or a read underway depends on. An announcement marks one cell, however many copies
 * stand on it. Memory follows copies and reads: a cell that nobody holds is gone.
 */
export class Cells {
  readonly #cells = new Map<string, Cell>();
  /** Changes whenever a cell dies: what was alive at the same number still is. */
  deaths = 0;

  /** The living cells of the keys, to be released. */
  hold(keys: readonly string[]): Cell[] {
    return keys.map((key) => {
      let cell = this.#cells.get(key);
      if (!cell) this.#cells.set(key, (cell = { key, dead: false, holders: 0 }));
      cell.holders += 1;
      return cell;
    });
  }

  /** The same cells once more, to be released once more. */
  share(cells: readonly Cell[]): readonly Cell[] {
    for (const cell of cells) cell.holders += 1;
    return cells;
  }

  release(cells: readonly Cell[]): void {
    for (const cell of cells) {
      cell.holders -= 1;
      if (cell.holders === 0 && !cell.dead) this.#cells.delete(cell.key);
    }
  }

  /** Marks the cell of a key; whoever asks from now on gets another. */
  kill(key: string): void {
    const cell = this.#cells.get(key);
    if (!cell) return;
    cell.dead = true;
    this.deaths += 1;
    this.#cells.delete(key);
  }

  killAll(): void {
    this.deaths += 1;
    for (const cell of this.#cells.values()) cell.dead = true;
    this.#cells.clear();
  }
}
