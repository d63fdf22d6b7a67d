import { type Clock, InvalidArgumentError, type Random, systemClock, systemRandom } from "@sluice/core";

import { createHistory, type ChaosHistory, type ChaosRecord, type OpenRecord } from "./chaos-history.ts";
import { assertFault, assertPlan, drawFault, type ChaosFault, type ChaosPlan } from "./chaos-plan.ts";
import { createWaits, type Waits } from "./chaos-waits.ts";

/** How a chaos wrapper chooses and times its faults. */
export interface ChaosOptions {
  /** Probability of each fault, drawn for each call after the script has ended. Default: none. */
  readonly plan?: ChaosPlan;
  /** A script: one fault for each call, in the order in which calls begin. Default: empty. */
  readonly faults?: readonly (ChaosFault | "none")[];
  /** Draws the faults. The same seed and the same calls give the same faults. Default: this machine's. */
  readonly random?: Random;
  /** Times `slow`, and the bounds of `hang` and `reorder`. Default: this machine's. */
  readonly clock?: Clock;
  /** Delay of `slow` in ms, or the range from which it is drawn. Default 100. */
  readonly slowMs?: number | readonly [from: number, below: number];
  /** Longest hang in ms. Default 10 000. */
  readonly hangMs?: number;
  /** How long `reorder` waits for another call to overtake, in ms. Default 50. */
  readonly reorderMs?: number;
  /** Ends all waits, each with `signal.reason` and nothing done. */
  readonly signal?: AbortSignal;
  /** How many records the history keeps. Default 100 000. */
  readonly historyLimit?: number;
}

/** What a chaos wrapper has done, and the end of it. */
export interface Chaos {
  /** One record for each call, in the order in which they began. The oldest go when there are too many. */
  readonly history: readonly ChaosRecord[];
  /** Records that have gone. */
  readonly forgotten: number;
  /** How often each fault was chosen. */
  readonly counts: Readonly<Record<ChaosFault | "none", number>>;
  /** Calls that hang now. */
  readonly hanging: number;
  /** Lets the calls that hang now go on. Returns how many there were. */
  release(): number;
  /** Ends the faults: releases what hangs or waits to be overtaken, and injects nothing any more. */
  heal(): void;
}

/** A port whose calls meet faults. */
export interface Chaotic {
  /** What was done to the calls. */
  readonly chaos: Chaos;
}

/** One call, as a wrapper describes it. */
export interface ChaosCall<T> {
  readonly operation: string;
  readonly subject: string;
  readonly work: () => Promise<T>;
  readonly refused: () => Error;
  readonly lost: () => Error;
  /** When a hang has lasted too long. Default: as `lost`. */
  readonly gaveUp?: () => Error;
  /** Errors of the work that the caller hears of even when answers are lost, since they came from no server. */
  readonly keeps?: (error: unknown) => boolean;
  /** Faults that make no sense for this call. They become none. */
  readonly never?: readonly ChaosFault[];
}

/** The part that wrappers share. */
export interface ChaosEngine {
  readonly chaos: Chaos;
  readonly history: ChaosHistory;
  /** Whether {@link Chaos.heal} was called. */
  readonly healed: boolean;
  perform<T>(call: ChaosCall<T>): Promise<T>;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function createChaos(options: ChaosOptions): ChaosEngine {
  const { plan = {}, faults = [], random = systemRandom, slowMs = 100, historyLimit = 100_000 } = options;
  const { clock = systemClock, hangMs = 10_000, reorderMs = 50, signal } = options;
  assertOptions({ plan, faults, historyLimit });
  const history = createHistory(historyLimit);
  const waits = createWaits({ clock, hangMs, reorderMs, slowMs, signal });
  let begun = 0;
  let healed = false;

  // Both numbers are drawn for every call: what befalls one does not shift the chances of the next.
  function choose(never: readonly ChaosFault[]): { fault: ChaosFault | "none"; chance: number } {
    const [drawn, chance] = [drawFault(plan, random), random.float()];
    const fault = faults[begun++] ?? drawn;
    return { fault: healed || never.includes(fault as ChaosFault) ? "none" : fault, chance };
  }

  const chaos: Chaos = {
    history: history.records,
    counts: history.counts,
    get forgotten() {
      return history.forgotten;
    },
    get hanging() {
      return waits.hanging;
    },
    release: () => waits.release(),
    heal() {
      healed = true;
      waits.heal();
    },
  };
  return {
    chaos,
    history,
    get healed() {
      return healed;
    },
    async perform(call) {
      const { fault, chance } = choose(call.never ?? []);
      const record = history.begin(call.operation, call.subject, fault);
      try {
        return await suffer({ call, record, waits, chance });
      } finally {
        waits.ended(record.call);
      }
    },
  };
}

interface Suffering<T> {
  readonly call: ChaosCall<T>;
  readonly record: OpenRecord;
  readonly waits: Waits;
  readonly chance: number;
}

async function suffer<T>({ call, record, waits, chance }: Suffering<T>): Promise<T> {
  switch (record.fault) {
    case "refuse":
      record.outcome = "refused";
      throw call.refused();
    case "loseReply":
      await executeUnheard(call, record);
      record.outcome = "lost";
      throw call.lost();
    case "duplicate":
      await executeUnheard(call, record);
      break;
    case "slow":
    case "hang":
    case "reorder":
      await wait(record, () => waits.before(record.fault, record.call, chance), call.gaveUp ?? call.lost);
      break;
    case "none":
  }
  return tell(record, execute(call, record));
}

async function wait(record: OpenRecord, before: () => Promise<boolean>, gaveUp: () => Error): Promise<void> {
  let goesOn: boolean;
  try {
    goesOn = await before();
  } catch (error) {
    record.outcome = "aborted";
    throw error;
  }
  if (goesOn) return;
  record.outcome = "lost";
  throw gaveUp();
}

async function execute<T>({ work }: ChaosCall<T>, record: OpenRecord): Promise<T> {
  try {
    const answer = await work();
    record.executions += 1;
    return answer;
  } catch (error) {
    record.failures += 1;
    throw error;
  }
}

async function executeUnheard<T>(call: ChaosCall<T>, record: OpenRecord): Promise<void> {
  try {
    await execute(call, record);
  } catch (error) {
    if (!call.keeps?.(error)) return;
    record.outcome = "failed";
    throw error;
  }
}

async function tell<T>(record: OpenRecord, answer: Promise<T>): Promise<T> {
  try {
    const value = await answer;
    record.outcome = "answered";
    return value;
  } catch (error) {
    record.outcome = "failed";
    throw error;
  }
}

function assertOptions({
  plan,
  faults,
  historyLimit,
}: Required<Pick<ChaosOptions, "plan" | "faults" | "historyLimit">>) {
  assertPlan(plan);
  for (const fault of faults) assertFault("faults", fault);
  if (!(Number.isSafeInteger(historyLimit) && historyLimit >= 0)) {
    throw new InvalidArgumentError("historyLimit", "a whole number from 0", historyLimit);
  }
}
