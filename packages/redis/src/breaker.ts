import type { Clock } from "@sluice/core";

/** Decides whether a call is worth sending while a server may be away. */
export interface OutageBreaker {
  /** Whether a call may go out. While open, one a period may: the probe. */
  admits(): boolean;
  /** The server answered something, or a connection to it became ready. */
  alive(): void;
  /** A call got no answer. The third in a row opens. */
  silent(): void;
  /** No connection can be made, which needs no second opinion: opens at once. */
  away(): void;
}

/** How an outage is noticed and how often the server is asked whether it is over. */
export interface BreakerOptions {
  readonly clock: Clock;
  /** Unanswered calls in a row that open. */
  readonly failures: number;
  /** Time between probes in ms. */
  readonly probeMs: number;
  /** Called on each change, once. */
  readonly onChange: (open: boolean) => void;
}

/** Whether the clock has reached `untilMs` decides all: no timer, and a probe that never ends blocks nobody. */
export function createOutageBreaker({ clock, failures, probeMs, onChange }: BreakerOptions): OutageBreaker {
  let streak = 0;
  let untilMs: number | undefined;

  function open(): void {
    const isNew = untilMs === undefined;
    untilMs = clock.monotonic() + probeMs;
    if (isNew) onChange(true);
  }

  return {
    admits() {
      if (untilMs === undefined) return true;
      if (clock.monotonic() < untilMs) return false;
      untilMs = clock.monotonic() + probeMs;
      return true;
    },
    alive() {
      streak = 0;
      if (untilMs === undefined) return;
      untilMs = undefined;
      onChange(false);
    },
    silent() {
      streak += 1;
      if (streak >= failures && untilMs === undefined) open();
    },
    away: () => {
      if (untilMs === undefined) open();
    },
  };
}
