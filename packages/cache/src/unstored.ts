import type { Invalidator } from "./invalidator.ts";
import { currentLoad, type RunningLoad } from "./load-chain.ts";
import type { Served } from "./served.ts";

interface Running {
  readonly epoch: number;
  readonly outcome: Promise<Served>;
  /** The load that it is part of. */
  readonly within: RunningLoad | undefined;
}

/**
 * Loads while the store cannot be asked, shared in this process. Without the store nobody knows what others have
 * invalidated, so a shared value may be as old as its load took; what this process has invalidated is never shared.
 */
export class Unstored {
  readonly #invalidator: Invalidator;
  readonly #byKey = new Map<string, Running>();

  constructor(invalidator: Invalidator) {
    this.#invalidator = invalidator;
  }

  async shared(key: string, load: () => Promise<Served>): Promise<Served> {
    const { epoch } = this.#invalidator;
    const known = this.#byKey.get(key);
    const within = currentLoad();
    // Somebody else's load might wait for the place of the one that this is part of.
    if (known?.epoch === epoch && known.within === within) return known.outcome;
    const running: Running = { epoch, outcome: load(), within };
    this.#byKey.set(key, running);
    try {
      return await running.outcome;
    } finally {
      if (this.#byKey.get(key) === running) this.#byKey.delete(key);
    }
  }
}
