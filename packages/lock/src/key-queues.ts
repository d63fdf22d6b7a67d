/** A place in the queues of some keys. */
export interface Turn {
  /** Undefined when it is this turn's turn already; otherwise resolves when it is. */
  readonly ready: Promise<void> | undefined;
  /** Gives the place up, before or after its turn has come. Harmless when it has been given up. */
  leave(): void;
}

/** Who wants a key: one place, or those that stand in line. */
type Line = Place | Set<Place>;

// As often, the map of all lines is made anew. An old table of a map points to the next one it grew or shrank into, so
// tables of a map that is long-lived and never at rest keep each other alive until the next full collection: half of
// what a lock cost here was collecting that garbage.
const freshAfter = 256;

interface Place {
  /** Keys at which others stand before this place. */
  blockedBy: number;
  come: (() => void) | undefined;
}

/**
 * First come, first served, per key, within this process: one at a time goes on to ask the store. A place is taken in
 * the queues of all its keys at once, so two places stand in the same order everywhere and never wait for each other.
 * O(keys) per turn; a key that nobody wants leaves nothing behind.
 */
export class KeyQueues {
  // A set keeps the order in which its members came, and forgets one in the middle at no cost.
  #lines = new Map<string, Line>();
  #gone = 0;
  #waiting = 0;
  #asking = 0;

  /** Places whose turn has not come, and those whose turn it is while another process has what they want. */
  get waiting(): number {
    return this.#waiting + this.#asking;
  }

  /** Counts a place as waiting, whose turn it is, until the function that is returned is called. */
  ask(): () => void {
    this.#asking += 1;
    return () => void (this.#asking -= 1);
  }

  enter(keys: readonly string[]): Turn {
    const place: Place = { blockedBy: 0, come: undefined };
    for (const key of keys) {
      const line = this.#lines.get(key);
      if (line === undefined) this.#lines.set(key, place);
      else {
        place.blockedBy += 1;
        if (line instanceof Set) line.add(place);
        else this.#lines.set(key, new Set([line, place]));
      }
    }
    const leave = (): void => this.#leave(keys, place);
    if (place.blockedBy === 0) return { ready: undefined, leave };
    this.#waiting += 1;
    return { ready: new Promise((resolve) => (place.come = resolve)), leave };
  }

  #leave(keys: readonly string[], place: Place): void {
    const line = this.#lines.get(keys[0] ?? "");
    if (line !== place && !(line instanceof Set && line.has(place))) return;
    if (place.blockedBy > 0) this.#waiting -= 1;
    for (const key of keys) this.#leaveOne(key, place);
  }

  #leaveOne(key: string, place: Place): void {
    const line = this.#lines.get(key);
    if (!(line instanceof Set)) return this.#forget(key);
    const wasFirst = first(line) === place;
    line.delete(place);
    const next = first(line);
    if (next === undefined) this.#forget(key);
    else if (wasFirst) this.#advance(next);
    return undefined;
  }

  #forget(key: string): void {
    this.#lines.delete(key);
    this.#gone += 1;
    if (this.#gone < freshAfter + this.#lines.size) return;
    this.#gone = 0;
    this.#lines = new Map(this.#lines);
  }

  #advance(place: Place): void {
    place.blockedBy -= 1;
    if (place.blockedBy > 0) return;
    this.#waiting -= 1;
    place.come?.();
  }
}

function first(queue: ReadonlySet<Place>): Place | undefined {
  return queue.values().next().value;
}
