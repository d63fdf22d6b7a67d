import type { Clock, Random, Timer } from "@sluice/core";

/** What a round asks, and when the next is due. */
export interface RoundPlan {
  readonly clock: Clock;
  readonly random: Random;
  readonly probeMs: number;
  /** Never rejects. */
  ask(): Promise<void>;
  /** Whether the next round can wait until somebody wants one. */
  isWell(): boolean;
  /** Called when it can. */
  rest(): unknown;
}

/** Rounds of questions, never more than one at a time. */
export interface Rounds {
  /** When the last one began. */
  readonly startedMs: number;
  /** Begins a round, or joins the one that runs. */
  run(): Promise<void>;
  /** Begins a round unless one has begun within `probeMs`. */
  touch(): void;
  /** Waits for a round unless one has ended within that time. `Infinity` waits for the first round only. */
  within(ageMs: number): Promise<void>;
  /** Has a round begin after this call: at once, or a moment after the last one. */
  soon(): void;
  close(): void;
}

// Suspicions come in swarms.
const shortestPauseMs = 100;
// Spreads the probes of many processes.
const jitter = 0.2;

/** Asks when it is wanted, and once per `probeMs` for as long as not all is well. */
export function createRounds(plan: RoundPlan): Rounds {
  const { clock, random, probeMs } = plan;
  let startedMs = Number.NEGATIVE_INFINITY;
  let doneMs: number | undefined;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let again = false;
  let closed = false;

  async function round(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    again = false;
    startedMs = clock.monotonic();
    await plan.ask();
    doneMs = clock.monotonic();
    running = undefined;
    if (closed) return;
    if (again) arm(shortestPauseMs);
    else if (!plan.isWell()) arm(probeMs * (1 - jitter * random.float()));
    else plan.rest();
  }

  // In the background: hosts that nobody calls hold no process open.
  function arm(delayMs: number): void {
    timer ??= clock.schedule(delayMs, () => void run(), { background: true });
  }

  const run = (): Promise<void> => (running ??= round());

  return {
    get startedMs() {
      return startedMs;
    },
    run,
    touch() {
      if (!closed && !running && clock.monotonic() - startedMs >= probeMs) void run();
    },
    async within(ageMs) {
      if (!closed && (doneMs === undefined || clock.monotonic() - doneMs > ageMs)) await run();
    },
    soon() {
      if (closed) return;
      if (running) again = true;
      else if (clock.monotonic() - startedMs >= shortestPauseMs) void run();
      else arm(shortestPauseMs);
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}
