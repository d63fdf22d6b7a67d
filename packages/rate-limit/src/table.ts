/** A state with the moment from which on it equals a fresh one. */
interface Kept<State> {
  readonly state: State;
  idleAtMs: number;
}

/** How a {@link Table} is made. */
export interface TableOptions<State> {
  /** Subjects that are kept by themselves, at most. */
  readonly max: number;
  /** Begins the hash that decides who shares when the table is full. */
  readonly seed: number;
  copy(state: State): State;
  /** Called when a subject has to share. */
  onFull(): void;
}

// States that a new subject pays to look at: more than one each, so that the table shrinks when nobody comes back.
const sweptPerInsert = 2;
const sweptWhenFull = 4;
const sharedSlots = 1024;

/**
 * The states of one limit by subject, bounded. Nothing is forgotten before it is idle: when the table is full, new
 * subjects share a state with others, by hash, and may be denied for what those spent, but nobody is let through for
 * what was forgotten. A subject that moves out takes all of the shared counts with it.
 */
export class Table<State> {
  readonly #options: TableOptions<State>;
  readonly #kept = new Map<string, Kept<State>>();
  readonly #shared = new Map<number, Kept<State>>();
  #sweep: IterableIterator<[string, Kept<State>]>;

  constructor(options: TableOptions<State>) {
    this.#options = options;
    this.#sweep = this.#kept.entries();
  }

  /** Subjects that are kept by themselves. */
  get size(): number {
    return this.#kept.size;
  }

  /** The state of a subject, or of those that it shares with; `undefined` for one that is fresh. */
  find(key: string): State | undefined {
    const own = this.#kept.get(key);
    if (own) return own.state;
    return this.#shared.size === 0 ? undefined : this.#shared.get(this.#slotOf(key))?.state;
  }

  /** The state of a subject that is kept by itself. */
  own(key: string): State | undefined {
    return this.#kept.get(key)?.state;
  }

  /** Keeps a state that {@link find} did not know, and those that it knew until later. */
  keep(key: string, state: State, { idleAtMs, nowMs }: { readonly idleAtMs: number; readonly nowMs: number }): void {
    const own = this.#kept.get(key);
    if (own) {
      own.idleAtMs = idleAtMs;
      return;
    }
    this.#reclaim(sweptPerInsert, nowMs);
    if (this.#kept.size >= this.#options.max) this.#reclaim(sweptWhenFull, nowMs);
    if (this.#kept.size < this.#options.max) this.#kept.set(key, { state: this.#ownState(key, state), idleAtMs });
    else this.#share(key, { state, idleAtMs });
  }

  /** Forgets a subject that is kept by itself. A shared state stays: it is others', too. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  #ownState(key: string, state: State): State {
    if (this.#shared.size === 0) return state;
    const isShared = this.#shared.get(this.#slotOf(key))?.state === state;
    return isShared ? this.#options.copy(state) : state;
  }

  #share(key: string, kept: Kept<State>): void {
    const slot = this.#slotOf(key);
    if (!this.#shared.has(slot)) this.#options.onFull();
    this.#shared.set(slot, kept);
  }

  /** Looks at the next few states and drops those that are idle. */
  #reclaim(howMany: number, nowMs: number): void {
    for (let looked = 0; looked < howMany; looked += 1) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#kept.entries();
        this.#dropShared(nowMs);
        return;
      }
      const [key, { idleAtMs }] = next.value;
      if (idleAtMs <= nowMs) this.#kept.delete(key);
    }
  }

  #dropShared(nowMs: number): void {
    for (const [slot, { idleAtMs }] of this.#shared) if (idleAtMs <= nowMs) this.#shared.delete(slot);
  }

  /** FNV-1a, from a seed that outsiders do not know. */
  #slotOf(key: string): number {
    let hash = this.#options.seed;
    for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 16_777_619);
    return (hash >>> 0) % sharedSlots;
  }
}
