import type { Clock } from "@sluice/core";

/** The time of a server, as well as it is known here. */
export interface ServerClock {
  /** Milliseconds since the epoch, with fractions. Calls `ask` when the server has not told its time lately. */
  now(ask?: () => void): number;
  /** Takes what the server has just said: microseconds since the epoch. */
  set(microseconds: string): void;
}

const goodForMs = 60_000;

/**
 * Goes on from what the server said last, by the monotonic clock of this machine. It is never ahead of the server by
 * more than clocks drift, and behind by no more than an answer's way. So what begins after an answer has a later time
 * than what the server did before it, which a wall clock of this machine could not promise.
 */
export function createServerClock(clock: Clock): ServerClock {
  let offsetMs: number | undefined;
  let setMs = Number.NEGATIVE_INFINITY;
  return {
    now(ask) {
      const nowMs = clock.monotonic();
      if (nowMs >= setMs + goodForMs) ask?.();
      return offsetMs === undefined ? clock.now() : nowMs + offsetMs;
    },
    set(microseconds) {
      const ms = Number(microseconds) / 1000;
      if (!Number.isFinite(ms)) return;
      setMs = clock.monotonic();
      offsetMs = ms - setMs;
    },
  };
}
