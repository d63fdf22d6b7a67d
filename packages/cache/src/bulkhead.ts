import { LoadsOverloadedError } from "./errors.ts";

/** Lets so many loads run at once, so that a cold cache does not become a hot database. */
export interface Bulkhead {
  /**
   * Runs `work` when there is a place, the longest waiting first.
   *
   * @throws `ERR_SLUICE_CACHE_OVERLOADED` when too many wait already.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** How {@link createBulkhead} counts. */
export interface BulkheadOptions {
  readonly scope: string;
  readonly maxLoads: number;
  readonly maxWaiting: number;
}

export function createBulkhead({ scope, maxLoads, maxWaiting }: BulkheadOptions): Bulkhead {
  const waiting = new Set<() => void>();
  let running = 0;

  function enter(): Promise<void> | undefined {
    if (running < maxLoads) {
      running += 1;
      return undefined;
    }
    if (waiting.size >= maxWaiting) throw new LoadsOverloadedError(scope, waiting.size);
    return new Promise((resolve) => waiting.add(resolve));
  }

  function leave(): void {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    // The place goes over to it.
    waiting.delete(next);
    next();
  }

  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
