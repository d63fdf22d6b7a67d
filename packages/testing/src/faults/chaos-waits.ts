import { type Clock, InvalidArgumentError, sleep } from "@sluice/core";

import type { ChaosFault } from "./chaos-plan.ts";

/** The waits of calls that are slow, hang, or are to be overtaken. */
export interface Waits {
  readonly hanging: number;
  /**
   * Waits as the fault says.
   *
   * @param chance - From [0, 1), for what is drawn.
   * @returns whether the work is to be done after it: `false` when a hang reached its bound.
   * @throws the reason of the signal.
   */
  before(fault: ChaosFault | "none", call: number, chance: number): Promise<boolean>;
  /** A call has ended: those before it that wait to be overtaken go on. */
  ended(call: number): void;
  release(): number;
  heal(): void;
}

/** How long they last. */
export interface WaitsOptions {
  readonly clock: Clock;
  readonly slowMs: number | readonly [from: number, below: number];
  readonly hangMs: number;
  readonly reorderMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function createWaits({ clock, slowMs, hangMs, reorderMs, signal }: WaitsOptions): Waits {
  const [fromMs, belowMs] = typeof slowMs === "number" ? [slowMs, slowMs] : slowMs;
  for (const [argument, ms] of Object.entries({ slowMs: fromMs, hangMs, reorderMs })) assertMs(argument, ms);
  if (!(Number.isFinite(belowMs) && belowMs >= fromMs)) {
    throw new InvalidArgumentError("slowMs", "a time in ms, or an ascending range of them", belowMs);
  }
  const bounded = boundedBy(clock, signal);
  const hanging = new Set<() => void>();
  const overtaken = new Map<number, () => void>();

  const hang = (): Promise<boolean> =>
    bounded(hangMs, (goOn) => {
      hanging.add(goOn);
      return () => hanging.delete(goOn);
    });

  const letOvertake = (call: number): Promise<boolean> =>
    bounded(reorderMs, (goOn) => {
      overtaken.set(call, goOn);
      return () => overtaken.delete(call);
    });

  function release(): number {
    const released = hanging.size;
    for (const goOn of hanging) goOn();
    return released;
  }

  return {
    get hanging() {
      return hanging.size;
    },
    async before(fault, call, chance) {
      if (fault === "hang") return hang();
      if (fault === "slow") await sleep(clock, fromMs + chance * (belowMs - fromMs), signal);
      if (fault === "reorder") await letOvertake(call);
      return true;
    },
    ended(call) {
      for (const [earlier, goOn] of overtaken) if (earlier < call) goOn();
    },
    release,
    heal() {
      release();
      for (const goOn of overtaken.values()) goOn();
    },
  };
}

const wentOn = Symbol("went on");

/** Waits whether the function that it hands to `add` is called before the time is up. */
function boundedBy(clock: Clock, signal: AbortSignal | undefined) {
  return async (ms: number, add: (goOn: () => void) => () => void): Promise<boolean> => {
    const early = new AbortController();
    const remove = add(() => early.abort(wentOn));
    try {
      await sleep(clock, ms, signal ? AbortSignal.any([signal, early.signal]) : early.signal);
      return false;
    } catch (error) {
      if (error === wentOn) return true;
      throw error;
    } finally {
      remove();
    }
  };
}

function assertMs(argument: string, ms: number): void {
  if (!(Number.isFinite(ms) && ms >= 0)) throw new InvalidArgumentError(argument, "a time in ms, at least 0", ms);
}
