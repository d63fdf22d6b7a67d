import { sleep, systemClock } from "@sluice/core";
import type { Postgres } from "@sluice/postgres/connect";
import { recordFault, type MeasuredFault } from "@sluice/testing/vitest";

import { eventually, isReplica } from "./servers.ts";

/** A fault of the replica of a database. */
export interface ReplicaFault {
  readonly fault: string;
  readonly db: Postgres;
  readonly strike: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}

const clock = systemClock;

/** Reads without pause until the replica serves again, and records what readers saw of its fault. */
export async function readThrough({ fault, db, strike, repair }: ReplicaFault): Promise<MeasuredFault> {
  const reads: { readonly endedMs: number; readonly ms: number; readonly replica: boolean }[] = [];
  const errors = new Set<string>();
  const stopping = new AbortController();
  async function readOnAndOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonic();
      const replica = await isReplica(db).catch((error: Error) => void errors.add(error.message));
      const endedMs = clock.monotonic();
      reads.push({ endedMs, ms: endedMs - startedMs, replica: replica === true });
      await sleep(clock, 1);
    }
  }
  const load = readOnAndOn();
  try {
    await eventually(() => reads.filter(({ replica }) => replica).length >= 50);
    const usualMs = reads.map(({ ms }) => ms).toSorted((one, other) => one - other)[25] ?? 0;
    const struckMs = clock.monotonic();
    const since = (momentMs: number) => reads.filter(({ endedMs }) => endedMs > momentMs);
    await strike();
    await eventually(() => since(struckMs).some(({ replica }) => !replica));
    await repair();
    const repairedMs = clock.monotonic();
    await eventually(() => since(repairedMs).some(({ replica }) => replica));
    const served = since(repairedMs).find(({ replica }) => replica);
    const measured: MeasuredFault = {
      fault,
      addedLatencyMs: Math.max(...since(struckMs).map(({ ms }) => ms)) - usualMs,
      recoveryMs: (served?.endedMs ?? Infinity) - repairedMs,
      errors: [...errors].toSorted(),
    };
    recordFault(measured);
    return measured;
  } finally {
    stopping.abort();
    await load;
  }
}
