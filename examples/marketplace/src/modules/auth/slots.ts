import { Failure } from "../../http/failure.ts";

/** How much of something may happen at once, and how much may wait. */
export interface SlotLimits {
  readonly running: number;
  readonly waiting: number;
}

/** A bounded number of places to work in. */
export interface Slots {
  /**
   * Runs `work` as soon as there is a place, first come first served.
   *
   * @throws a 503 where too many wait already.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Places for `running` works at once; `waiting` more may wait for one. */
export function createSlots({ running, waiting }: SlotLimits): Slots {
  const queue: (() => void)[] = [];
  let busy = 0;

  async function enter(): Promise<void> {
    if (busy < running) {
      busy += 1;
      return;
    }
    if (queue.length >= waiting) {
      throw new Failure(503, ["BUSY", "Too many log-ins at once, try again shortly"], {
        headers: { "retry-after": "1" },
      });
    }
    await new Promise<void>((resolve) => queue.push(resolve));
  }

  /** Hands the place to who waits longest, so that nobody overtakes. */
  function leave(): void {
    const next = queue.shift();
    if (next === undefined) busy -= 1;
    else next();
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
