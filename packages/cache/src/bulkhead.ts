import { LoadsOverloadedError } from "./errors.ts";
import { isPartOf } from "./load-chain.ts";

/** Lets so many loads run at once, so that a cold cache does not become a hot database. */
export interface Bulkhead {
  /**
   * Runs `work` when there is a place, the longest waiting first. What is part of a load that has a place runs at once,
   * on that one: waiting for another might be waiting for itself.
   *
   * @throws `ERR_SLUICE_CACHE_OVERLOADED` when too many wait already.
   */
  run<T>(work: () => Promise<T>, turn?: Turn): Promise<T>;
  /** Lets work that waits begin, if this code is part of a load that has a place and now waits for that work. */
  hasten(turn: Turn): void;
}

/** Work that may have to wait: what it waits with, while it does. */
export interface Turn {
  begin?: (own: boolean) => void;
}

/** How {@link createBulkhead} counts. */
export interface BulkheadOptions {
  readonly scope: string;
  readonly maxLoads: number;
  readonly maxWaiting: number;
}

export function createBulkhead({ scope, maxLoads, maxWaiting }: BulkheadOptions): Bulkhead {
  const waiting = new Set<Turn>();
  let running = 0;

  /** Whether it has a place of its own. */
  function enter(turn: Turn): boolean | Promise<boolean> {
    if (isInside()) return false;
    if (running < maxLoads) {
      running += 1;
      return true;
    }
    if (waiting.size >= maxWaiting) throw new LoadsOverloadedError(scope, waiting.size);
    waiting.add(turn);
    return new Promise((resolve) => (turn.begin = resolve));
  }

  function leave(): void {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    // The place goes over to it.
    waiting.delete(next);
    next.begin?.(true);
  }

  function isInside(): boolean {
    return isPartOf((load) => load.bulkhead === bulkhead);
  }

  const bulkhead: Bulkhead = {
    async run(work, turn = {}) {
      const hasPlace = await enter(turn);
      try {
        return await work();
      } finally {
        if (hasPlace) leave();
      }
    },
    hasten(turn) {
      if (waiting.has(turn) && isInside()) {
        waiting.delete(turn);
        turn.begin?.(false);
      }
    },
  };
  return bulkhead;
}
