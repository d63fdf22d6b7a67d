import { InvalidArgumentError, type Clock } from "@sluice/core";

// Held from the start, so that a test which replaces the globals does not stop this clock.
const nextTurn = globalThis.setImmediate;

// After a timer has run, what it set off may pass through several turns of the event loop: a promise chain takes one,
// a batch that leaves at the end of its turn takes one more for each layer that batches.
const turnsPerTimer = 4;

// A timer that schedules itself again without delay would keep `advance` from ever ending.
const callsPerInstant = 10_000;

/** A {@link Clock} that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves both readings forward by `ms` and runs the timers that fall due on the way: in the order in which they are
   * due, those of one instant in the order in which they were made, those that they schedule included. Each sees the
   * clock at the very time it was due. Promises get four turns of the event loop to settle before the next timer runs
   * and before this resolves. That is enough for chains of promises; a reply over a socket is not waited for.
   *
   * Overlapping calls run one after the other.
   *
   * @param ms - Finite, at least 0. Fractions are kept by `monotonic()` and cut off by `now()`.
   * @throws what a timer throws. The clock then stands at the time of that timer.
   * @throws `ERR_SLUICE_INVALID_ARGUMENT` for any other `ms`.
   */
  advance(ms: number): Promise<void>;
  /** Moves `now()` alone, also backwards, as an operator or NTP does. Runs no timer. Finite. */
  stepWall(ms: number): void;
  /** Timers that have neither run nor been cancelled. */
  readonly pendingTimers: number;
}

/** How {@link createFakeClock} begins. */
export interface FakeClockOptions {
  /** First reading of `now()`, in whole ms since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
}

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly call: () => void;
}

/**
 * A clock for tests. `monotonic()` begins at 0. Scheduling and cancelling search in O(log n) of the pending timers.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when `nowMs` is not a safe integer.
 * @example
 * ```ts
 * import { sleep } from "@sluice/core";
 * import { createFakeClock } from "@sluice/testing";
 *
 * const clock = createFakeClock({ nowMs: 0 });
 * let rang = false;
 * void sleep(clock, 60_000).then(() => (rang = true));
 * await clock.advance(59_999);
 * rang; // => false
 * await clock.advance(1);
 * rang; // => true
 * clock.now(); // => 60_000
 * ```
 */
export function createFakeClock({ nowMs = Date.UTC(2026, 0, 1) }: FakeClockOptions = {}): FakeClock {
  if (!Number.isSafeInteger(nowMs)) throw new InvalidArgumentError("nowMs", "a safe integer", nowMs);
  const timers = timerQueue();
  let elapsedMs = 0;
  let wallMs = nowMs;
  let advancing = Promise.resolve();

  async function move(ms: number): Promise<void> {
    const untilMs = elapsedMs + ms;
    let calls = 0;
    // What the test did just before may still be on its way to scheduling a timer.
    await settle();
    for (let timer = timers.takeDue(untilMs); timer; timer = timers.takeDue(untilMs)) {
      calls = timer.dueMs > elapsedMs ? 1 : calls + 1;
      if (calls > callsPerInstant) throw new Error(`${callsPerInstant} timers ran without the time moving on`);
      elapsedMs = Math.max(elapsedMs, timer.dueMs);
      timer.call();
      await settle();
    }
    elapsedMs = untilMs;
    await settle();
  }

  return {
    now: () => wallMs + Math.floor(elapsedMs),
    monotonic: () => elapsedMs,
    schedule(delayMs, call) {
      if (!Number.isFinite(delayMs)) throw new InvalidArgumentError("delayMs", "finite", delayMs);
      return timers.add(elapsedMs + Math.max(0, delayMs), call);
    },
    async advance(ms) {
      if (!(Number.isFinite(ms) && ms >= 0)) throw new InvalidArgumentError("ms", "finite and at least 0", ms);
      const moved = advancing.then(() => move(ms));
      advancing = moved.catch(() => undefined);
      return moved;
    },
    stepWall(ms) {
      if (!Number.isFinite(ms)) throw new InvalidArgumentError("ms", "finite", ms);
      wallMs += Math.trunc(ms);
    },
    get pendingTimers() {
      return timers.size();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsPerTimer; turn += 1) await new Promise<void>((resolve) => nextTurn(resolve));
}

function timerQueue() {
  // The next timer to run is the last element: taking it moves nothing.
  const waiting: PendingTimer[] = [];
  let created = 0;

  function place({ dueMs, order }: Pick<PendingTimer, "dueMs" | "order">): number {
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = waiting[middle]!;
      if (other.dueMs > dueMs || (other.dueMs === dueMs && other.order > order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    size: () => waiting.length,
    add(dueMs: number, call: () => void) {
      const timer = { dueMs, order: created++, call };
      waiting.splice(place(timer), 0, timer);
      return {
        cancel: () => {
          const index = place(timer);
          if (waiting[index] === timer) waiting.splice(index, 1);
        },
      };
    },
    takeDue: (untilMs: number) => ((waiting.at(-1)?.dueMs ?? Infinity) <= untilMs ? waiting.pop() : undefined),
  };
}
