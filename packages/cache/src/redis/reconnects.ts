import { hasCode } from "@sluice/core";

/** Notices that the way to a server was lost, and that there is one again: perhaps to another server. */
export interface Reconnects {
  /** What is made of the answer of a call, which is watched. */
  readonly watched: <T, Made>(call: Promise<T>, make: (answer: T) => Made) => Promise<Made>;
  readonly onReconnect: (listener: () => void) => () => void;
}

// A call that took too long says nothing about the connection; the others do.
const losses = new Set(["breaker-open", "connection-lost", "not-connected", "server-state"]);

export function createReconnects(): Reconnects {
  const listeners = new Set<() => void>();
  let isLost = false;
  const onAnswer = (): void => {
    if (!isLost) return;
    isLost = false;
    for (const listener of listeners) listener();
  };
  const onError = (error: unknown): void => {
    const isRefusal = hasCode(error, "ERR_SLUICE_REDIS_UNAVAILABLE") || hasCode(error, "ERR_SLUICE_REDIS_UNKNOWN");
    if (isRefusal && "reason" in error && losses.has(String(error.reason))) isLost = true;
  };
  return {
    watched: (call, make) =>
      call.then(
        (answer) => {
          onAnswer();
          return make(answer);
        },
        (error: unknown) => {
          onError(error);
          throw error;
        },
      ),
    onReconnect(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
