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
   * Runs `call` once, `delayMs` from now by the monotonic clock. Any finite delay is honoured, also above the
   * 2^31 - 1 ms that `setTimeout` can count.
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

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, call, { background = false } = {}) {
    const dueMs = performance.now() + delayMs;
    let handle: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      const leftMs = Math.max(0, dueMs - performance.now());
      handle = leftMs > longestTimeoutMs ? setTimeout(wait, longestTimeoutMs) : setTimeout(call, Math.ceil(leftMs));
      // Edge runtimes return a number, which holds no process open.
      if (background && typeof handle === "object") handle.unref();
    };
    wait();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `ms` on the given clock.
 *
 * @param signal - Rejects with `signal.reason` as soon as it aborts, and leaves no timer behind.
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
