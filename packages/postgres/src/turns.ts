/** Runs works one at a time, in the order of the calls. */
export interface Turns {
  /** Waits for its turn, runs `work`, and settles as it does. A failed work does not stop those behind it. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when everything that was taken before this call has settled. */
  drained(): Promise<void>;
}

/** An empty queue. It holds on to nothing but the last work. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take(work) {
      const turn = last.then(work);
      last = turn.catch(() => undefined);
      return turn;
    },
    async drained() {
      await last;
    },
  };
}
