import type { Clock, Random } from "@sluice/core";

import type { LockRequest, LockStore, LockWatch } from "./store.ts";

/** One contender, and how long it asks. */
export interface Asking {
  readonly store: LockStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly request: LockRequest;
  /** When to give up, on the monotonic clock. */
  readonly untilMs: number;
  /** Longest pause between two attempts in ms, whatever the store tells. */
  readonly pollMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called once, before the first pause. Returns what to call when the wait is over; throws to refuse it. */
  readonly onWait: () => () => void;
}

/**
 * Asks the store until it grants the lock. After a refusal it waits to be told that the lock is free, for the lease of
 * the holder to end, or for the poll, whichever comes first.
 *
 * @returns when the granted attempt was sent, on the monotonic clock; undefined when the time was up.
 * @throws what the store and `onWait` throw, and the signal's reason.
 */
export async function obtain(asking: Asking): Promise<number | undefined> {
  const { store, clock, request, untilMs, signal } = asking;
  let pause: Pause | undefined;
  let watch: LockWatch | undefined;
  let onEnd: (() => void) | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const sentMs = clock.monotonic();
      const answer = await store.acquire(request, signal);
      if (answer.granted) return sentMs;
      const leftMs = untilMs - clock.monotonic();
      if (leftMs <= 0) return undefined;
      onEnd ??= asking.onWait();
      const waiting = (pause ??= new Pause(clock));
      watch ??= store.watch?.(request.keys, sentMs, () => waiting.end());
      await waiting.wait(Math.min(leftMs, pauseOf(asking, answer.freeInMs)), signal);
    }
  } finally {
    watch?.close();
    onEnd?.();
  }
}

// Jitter keeps contenders of many processes apart. It only shortens, so a poll is never later than it says.
function pauseOf({ pollMs, random }: Asking, freeInMs = Infinity): number {
  return Math.min(freeInMs + 1, pollMs * (0.5 + random.float() / 2));
}

/** A wait that may be ended from outside, also before it has begun. */
class Pause {
  readonly #clock: Clock;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isEnded) await this.#sleep(ms, signal);
    this.#isEnded = false;
    signal?.throwIfAborted();
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(ms, () => this.#wake?.());
      this.#wake = () => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        this.#wake = undefined;
        resolve();
      };
      const onAbort = (): void => this.#wake?.();
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
