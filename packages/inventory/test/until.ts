import { sleep, systemClock } from "@sluice/core";

/** Waits in real time for a condition, for what runs by a server's clock. */
export async function until(condition: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
  const dueMs = systemClock.monotonic() + withinMs;
  while (!(await condition())) {
    if (systemClock.monotonic() > dueMs) throw new Error(`not so within ${withinMs} ms`);
    await sleep(systemClock, 5);
  }
}
