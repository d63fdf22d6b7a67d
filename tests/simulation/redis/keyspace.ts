/** A key as it is: its bytes, one character each, and when it ends. */
export interface Held {
  readonly value: string;
  /** In microseconds of the server; Infinity: it stays. */
  readonly untilUs: number;
}

/** One change of one key. */
export interface Change {
  readonly atUs: number;
  readonly key: string;
  /** Undefined: the key went. */
  readonly held: Held | undefined;
}

/** The keys of one server. Every change is logged, for a copy to follow at a distance. */
export class Keyspace {
  readonly #held = new Map<string, Held>();
  readonly log: Change[] = [];

  get(key: string, nowUs: number): Held | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.untilUs > nowUs) return held;
    this.set(key, undefined, nowUs);
    return undefined;
  }

  set(key: string, held: Held | undefined, nowUs: number): void {
    this.apply({ atUs: nowUs, key, held });
  }

  /** Makes a change as it was made elsewhere. */
  apply(change: Change): void {
    if (change.held === undefined) this.#held.delete(change.key);
    else this.#held.set(change.key, change.held);
    this.log.push(change);
  }

  keys(): string[] {
    return [...this.#held.keys()];
  }
}
