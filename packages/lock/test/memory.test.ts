import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import type { Redis } from "@sluice/redis";
import { createFakeClock } from "@sluice/testing";
import { expect, it } from "vitest";

import { createLocks, memoryStore } from "../src/index.ts";
import { FreedKeys } from "../src/redis/freed-keys.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const stopped = { now: () => 0, monotonic: () => 0, schedule: () => ({ cancel: () => undefined }) };
const million = 1_000_000;
const together = 1000;
const warm = 20_000;
const long = "k".repeat(480);

function keyOf(number: number): string {
  return number % 100 === 0 ? `${long}${number}` : `__proto__{${number}}💥`;
}

/** Bytes that are kept after a million hostile keys, of what a few of them would keep, too. */
async function keptBytes(use: (key: string) => Promise<unknown>): Promise<number> {
  const useAll = async (from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += together) {
      await Promise.all(Array.from({ length: together }, (_, index) => use(keyOf(first + index))));
    }
  };
  await useAll(0, warm);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await useAll(warm, million);
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

it(
  "locks remember nothing of a million hostile keys, acquired, refused and let go of",
  { timeout: 180_000 },
  async () => {
    const store = memoryStore();
    const [locks, others] = [createLocks({ store, clock: stopped }), createLocks({ store, clock: stopped })];
    let uses = 0;
    const use = async (key: string): Promise<void> => {
      const held = await locks.acquire(key);
      uses += 1;
      // A refusal costs more than a lock, for the stack of its error: they are few.
      if (uses % 64 === 0) await others.tryAcquire(key);
      await held.release();
    };
    expect(await keptBytes(use)).toBeLessThan(1_000_000);
  },
);

it("holders that crashed leave nothing in memory once their leases have ended", { timeout: 180_000 }, async () => {
  const clock = createFakeClock();
  const store = memoryStore({ clock });
  let owners = 0;
  const use = async (key: string): Promise<void> => {
    owners += 1;
    if (owners % together === 0) await clock.advance(100);
    await store.acquire({ keys: [key], owner: String(owners), leaseMs: 100 });
  };
  expect(await keptBytes(use)).toBeLessThan(2_000_000);
});

it("waiters for a million hostile keys keep a bounded number of subscriptions", { timeout: 180_000 }, async () => {
  let open = 0;
  let most = 0;
  const subscribe: Redis["subscribe"] = async () => {
    open += 1;
    most = Math.max(most, open);
    return { live: true, deliveredUpToMs: 0, close: async () => void (open -= 1) };
  };
  // Time stands still, so none ends by itself.
  const freed = new FreedKeys({ subscribe } as Redis, stopped);
  const use = async (key: string): Promise<void> => freed.watch([key], 0, () => undefined).close();
  expect(await keptBytes(use)).toBeLessThan(1_000_000);
  expect(open).toBeLessThanOrEqual(1000);
  expect(most).toBeLessThanOrEqual(1000 + together);
});
