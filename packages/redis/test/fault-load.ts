import { sleep, systemClock } from "@sluice/core";
import { recordFault, type MeasuredFault } from "@sluice/testing/vitest";

import { until } from "./servers.ts";

/** A fault, and the call that is made again and again while it comes and goes. */
export interface Fault {
  readonly fault: string;
  readonly call: () => Promise<unknown>;
  /** Brings the fault about. */
  readonly strike: () => Promise<unknown> | void;
  /** It lasts until a caller has seen this. Absent: until four calls have ended. */
  readonly lastsUntil?: string;
  /** Ends it, or waits for what ends it. Absent where it is over as soon as it has struck. */
  readonly repair?: () => Promise<unknown> | void;
}

interface Ended {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly error: string | undefined;
}

const clock = systemClock;

/** Calls without pause through a fault until calls work again, and records what they saw of it. */
export async function withstand({ fault, call, strike, repair, lastsUntil }: Fault): Promise<MeasuredFault> {
  const ended: Ended[] = [];
  const stopping = new AbortController();
  async function callOnAndOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonic();
      const error = await call().then(() => undefined, described);
      ended.push({ startedMs, endedMs: clock.monotonic(), error });
      await sleep(clock, 1);
    }
  }
  const load = callOnAndOn();
  try {
    await until(() => ended.length >= 50);
    const usualMs = median(ended.map(durationOf));
    const struckMs = clock.monotonic();
    await strike();
    const since = (momentMs: number): Ended[] => ended.filter(({ startedMs }) => startedMs >= momentMs);
    // Whoever was underway when it struck may be the one that sees it.
    const felt = (): Ended[] => ended.filter(({ endedMs }) => endedMs >= struckMs);
    const isFelt = (): boolean =>
      lastsUntil === undefined ? since(struckMs).length >= 4 : felt().some(({ error }) => error === lastsUntil);
    await until(isFelt);
    await repair?.();
    const repairedMs = repair ? clock.monotonic() : struckMs;
    const worked = (): number | undefined => since(repairedMs).find(({ error }) => error === undefined)?.endedMs;
    const workedMs = (await until(worked, 20_000)) ?? Infinity;
    const measured: MeasuredFault = {
      fault,
      addedLatencyMs: Math.max(0, Math.max(...felt().map(durationOf)) - usualMs),
      recoveryMs: workedMs - repairedMs,
      errors: [...new Set(felt().flatMap(({ error }) => error ?? []))].toSorted(),
    };
    recordFault(measured);
    return measured;
  } finally {
    stopping.abort();
    await load;
  }
}

function durationOf({ startedMs, endedMs }: Ended): number {
  return endedMs - startedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function described({ code, reason, message }: Error & { readonly code?: string; readonly reason?: string }): string {
  return reason === undefined ? (code ?? message) : `${code} (${reason})`;
}
