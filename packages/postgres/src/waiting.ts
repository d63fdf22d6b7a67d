import type { Clock } from "@sluice/core";

/** What becomes of a wait that fails. */
export interface WaitHandlers<Thing> {
  /** Gets a thing that nobody waits for any more. */
  readonly late: (thing: Thing) => void;
  /** The error when time is up. */
  readonly expired: () => Error;
}

/** Those who wait for something of which there are few. */
export interface Waiting<Thing> {
  readonly size: number;
  /**
   * Waits until the thing arrives, somebody refuses it, or time is up.
   */
  join(arrival: Promise<Thing>, handlers: WaitHandlers<Thing>): Promise<Thing>;
  /** Sends all away. */
  refuse(error: () => Error): void;
}

/** An empty line in which nobody waits longer than `longestMs`. */
export function createWaiting<Thing>(clock: Clock, longestMs: number): Waiting<Thing> {
  const leavers = new Set<(error: Error) => void>();
  return {
    get size() {
      return leavers.size;
    },
    join: (arrival, { late, expired }) =>
      new Promise((resolve, reject) => {
        const isFirst = (): boolean => {
          timer.cancel();
          return leavers.delete(leave);
        };
        const leave = (error: unknown): void => {
          if (isFirst()) reject(error);
        };
        const timer = clock.schedule(longestMs, () => leave(expired()));
        leavers.add(leave);
        arrival.then((thing) => (isFirst() ? resolve(thing) : late(thing)), leave);
      }),
    refuse(error) {
      for (const leave of leavers) leave(error());
    },
  };
}
