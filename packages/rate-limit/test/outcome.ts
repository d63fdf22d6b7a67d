import { sleep, systemClock } from "@sluice/core";

/** The code of the error that work throws; "nothing" when it throws none. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String((error as { readonly code?: unknown }).code);
  }
  return "nothing";
}

/** Waits for something to become true. Fails with what was last seen to be wrong. */
export async function until<T>(work: () => Promise<T> | T, withinMs = 10_000): Promise<Exclude<T, undefined>> {
  const dueMs = systemClock.monotonic() + withinMs;
  for (;;) {
    try {
      const value = await work();
      if (value !== false && value !== undefined) return value as Exclude<T, undefined>;
      if (systemClock.monotonic() > dueMs) throw new Error(`not so within ${withinMs} ms`);
    } catch (error) {
      if (systemClock.monotonic() > dueMs) throw error;
    }
    await sleep(systemClock, 5);
  }
}

/** How long work takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.monotonic();
  await work();
  return systemClock.monotonic() - startedMs;
}
