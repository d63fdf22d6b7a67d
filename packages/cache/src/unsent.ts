import type { RunningLoad } from "./load-chain.ts";
import type { Served } from "./served.ts";

/** A read, and whether several have it. */
export interface Unsent {
  readonly key: string;
  readonly served: Promise<Served>;
  /** The load that it is part of. */
  readonly within: RunningLoad | undefined;
  isShared?: boolean;
}

const endOfStretch = Promise.resolve();

/**
 * Reads that others may share for as long as this stretch of code runs. Not any longer: who begins after an
 * invalidation was applied must not share a read that may have been executed before it, and with a store in this
 * process that news takes no more than a microtask.
 *
 * A load shares its own reads alone: others might wait for the place that it has.
 */
export class UnsentReads {
  // Usually there is one.
  #first: Unsent | undefined;
  // A new one for every stretch: a map that is cleared keeps the memory of its past alive, with all that was in it.
  #others: Map<string, Unsent> | undefined;
  readonly #end = (): void => {
    this.#first = undefined;
    this.#others = undefined;
  };

  find(key: string, within: RunningLoad | undefined): Unsent | undefined {
    if (this.#first === undefined) return undefined;
    const found = this.#first.key === key ? this.#first : this.#others?.get(key);
    return found?.within === within ? found : undefined;
  }

  offer(read: Unsent): void {
    if (this.#first !== undefined) {
      (this.#others ??= new Map()).set(read.key, read);
      return;
    }
    this.#first = read;
    // As queueMicrotask does, at a fraction of what that costs.
    void endOfStretch.then(this.#end);
  }
}
