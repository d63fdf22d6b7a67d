import { hasCode } from "@sluice/core";

/** Notices that the way to a server was lost, and that there is one again: perhaps to another server. */
export interface Reconnects {
  /** Told of every answer. */
  readonly answered: () => void;
  /** Told of every failure, which it throws on: to be the last thing that is done about it. */
  readonly failed: (error: unknown) => never;
  readonly onReconnect: (listener: () => void) => () => void;
}

// A call that took too long says nothing about the connection; the others do.
const losses = new Set(["breaker-open", "connection-lost", "not-connected", "server-state"]);

export function createReconnects(): Reconnects {
  const listeners = new Set<() => void>();
  let isLost = false;
  return {
    answered() {
      if (!isLost) return;
      isLost = false;
      for (const listener of listeners) listener();
    },
    failed(error) {
      const isRefusal = hasCode(error, "ERR_SLUICE_REDIS_UNAVAILABLE") || hasCode(error, "ERR_SLUICE_REDIS_UNKNOWN");
      if (isRefusal && "reason" in error && losses.has(String(error.reason))) isLost = true;
      throw error;
    },
    onReconnect(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
