import { InvalidArgumentError } from "./errors.ts";

/** A pending call of {@link Clock.schedule}. */
export interface Timer {
  /** Forgets the call. Harmless when it has already run. */
  cancel(): void;
}

/** Where time comes from. Sluice reads no other clock, so a test decides what time it is. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. It may step backwards: use it for dates, never for intervals. */
  now(): number;
  /** Milliseconds since an arbitrary start, never decreasing, with fractions. Use it for intervals and deadlines. */
  monotonic(): number;
  /**
   * Runs `call` once, `delayMs` from now by the monotonic clock, and never within this call. Any finite delay is
   * honoured, also above the 2^31 - 1 ms that `setTimeout` can count; zero and less mean as soon as possible.
   *
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a delay that is not finite.
   */
  schedule(delayMs: number, call: () => void, options?: ScheduleOptions): Timer;
}

/** How {@link Clock.schedule} waits. */
export interface ScheduleOptions {
  /** The process may end while this timer waits, as for sweeps and renewals. Default `false`. */
  readonly background?: boolean;
}

// Above this, setTimeout fires at once (it stores the delay in a signed 32-bit integer).
const longestTimeoutMs = 2 ** 31 - 1;

/** The clock of this machine. A timer of it is never early, though it may be late when the process is busy. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, call, { background = false } = {}) {
    if (!Number.isFinite(delayMs))
      throw new InvalidArgumentError("delayMs", "a finite number of milliseconds", delayMs);
    const dueMs = performance.now() + delayMs;
    let handle: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number): void => {
      handle = setTimeout(wake, Math.min(Math.ceil(leftMs), longestTimeoutMs));
      // Edge runtimes return a number, which holds no process open.
      if (background && typeof handle === "object") handle.unref();
    };
    // setTimeout counts whole milliseconds of another clock, so it may fire a fraction before the time is due.
    const wake = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) wait(leftMs);
      else call();
    };
    wait(Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `ms` on the given clock.
 *
 * @param signal - Rejects with `signal.reason` as soon as it aborts, and leaves no timer and no listener behind.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT`, as a rejection, for a length that is not finite.
 * @example
 * ```ts
 * import { sleep, systemClock } from "@sluice/core";
 *
 * await sleep(systemClock, 5); // => undefined
 * ```
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
