import { FaultProxyClosedError } from "./errors.ts";

/** Lets callers wait until something that changes step by step is as they want it. */
export interface Watch<State> {
  /** Resolves at once or after the change that makes `holds` true. Rejects when the signal aborts or the watch ends. */
  readonly until: (holds: (state: State) => boolean, signal?: AbortSignal) => Promise<void>;
  /** To be called after every change. */
  readonly changed: () => void;
  /** Rejects whoever waits, and whoever comes later. */
  readonly end: () => void;
}

/** @param read - The state as it is now. */
export function createWatch<State>(read: () => State): Watch<State> {
  const waiting = new Set<() => void>();
  let ended = false;
  return {
    until: (holds, signal) =>
      new Promise((resolve, reject) => {
        const settle = (settled: () => void): void => {
          waiting.delete(look);
          signal?.removeEventListener("abort", look);
          settled();
        };
        const look = (): void => {
          if (signal?.aborted) return settle(() => reject(signal.reason as Error));
          try {
            if (holds(read())) settle(resolve);
            else if (ended) settle(() => reject(new FaultProxyClosedError()));
          } catch (error) {
            settle(() => reject(error));
          }
        };
        waiting.add(look);
        signal?.addEventListener("abort", look);
        look();
      }),
    changed() {
      for (const look of waiting) look();
    },
    end() {
      ended = true;
      for (const look of waiting) look();
    },
  };
}
