import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { createInventory, type Admission, type InventoryStore } from "../src/index.ts";
import { memoryStore } from "../src/testing.ts";
import { uuid } from "./ids.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const million = 1_000_000;
const warm = 40_000;
const together = 2000;
const long = "p".repeat(180);

function productOf(number: number): string {
  return number % 100 === 0 ? `${long}${number}` : `__proto__{${number}}💥`;
}

/** Bytes that are kept after a million hostile products, of what a few of them would keep, too. */
async function keptBytes(use: (productId: string) => Promise<unknown>): Promise<number> {
  const useAll = async (from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += together) {
      await Promise.all(Array.from({ length: together }, (_, index) => use(productOf(first + index))));
    }
  };
  await useAll(0, warm);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await useAll(warm, million);
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

/** A store that has had every product, and has none left. */
const soldOut: InventoryStore<unknown> = {
  ...memoryStore(),
  reserveBatch: async ({ productId, requests }) => ({
    decisions: requests.map(() => ({ outcome: "sold_out", productId, available: 0 })),
    level: { productId, available: 0, version: 1 },
  }),
};

it(
  "a flash lane keeps a bounded memory of a million hostile products that are sold out",
  { timeout: 180_000 },
  async () => {
    // Hints cannot be told to anybody, so what is to be told adds up as far as it may.
    const away: Admission = { admit: async () => "sold_out", publish: () => Promise.reject(new Error("away")) };
    const stopped = { now: () => 0, monotonic: () => 0, schedule: () => ({ cancel: () => undefined }) };
    const inventory = createInventory({ store: soldOut, admission: away, clock: stopped });
    const flash = inventory.flash({ connections: 64, maxQueue: 20_000 });
    const use = (productId: string): Promise<unknown> =>
      flash.reserve({ id: uuid(), fresh: true, lines: [{ productId, quantity: 1 }] });
    expect(await keptBytes(use)).toBeLessThan(2_000_000);
    expect(flash.waiting).toBe(0);
    await flash.close();
  },
);
