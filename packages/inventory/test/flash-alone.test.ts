import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { createInventory, InventoryUnavailableError, type InventoryStore } from "../src/index.ts";
import { memoryStore, type MemoryTransaction } from "../src/testing.ts";
import { codeOf, uuid } from "./ids.ts";

type Store = InventoryStore<MemoryTransaction>;

async function fixture(change: Partial<Store> = {}) {
  const clock = createFakeClock();
  const store: Store = { ...memoryStore({ clock }), ...change };
  const inventory = createInventory({ store, clock });
  await inventory.restock({ productId: "a", quantity: 10, key: "first" });
  return { clock, inventory };
}

const alone = () => ({ id: uuid(), lines: [{ productId: "a", quantity: 1 }], reference: "order 9" });

describe("a request that rides in no batch of a flash lane", () => {
  it("is told what others are told when the database is away, or too many wait", async () => {
    let attempts = 0;
    const reserveWith = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(new InventoryUnavailableError({ cause: new Error("connect ECONNREFUSED") }));
    };
    const { clock, inventory } = await fixture({ reserveWith });
    const flash = inventory.flash({ connections: 1, maxQueue: 1, deadlineMs: 500, onReserved: async () => undefined });
    const away = codeOf(flash.reserve(alone()));
    await clock.advance(1);
    const unsent = codeOf(flash.reserve(alone()));
    expect(flash.waiting).toBe(1);
    expect(await codeOf(flash.reserve(alone()))).toBe("ERR_SLUICE_INVENTORY_OVERLOADED");
    await clock.advance(510);
    expect(await away).toBe("ERR_SLUICE_INVENTORY_UNAVAILABLE");
    expect(await unsent).toBe("ERR_SLUICE_INVENTORY_DEADLINE");
    expect(attempts).toBeGreaterThan(2);
  });

  it("has its answer before the lane is closed, and is not taken in afterwards", async () => {
    const { clock, inventory } = await fixture();
    const gate = Promise.withResolvers<void>();
    const flash = inventory.flash({ onReserved: () => gate.promise });
    const result = flash.reserve(alone());
    let isClosed = false;
    const closing = flash.close().then(() => (isClosed = true));
    await clock.advance(1000);
    expect(isClosed).toBe(false);
    expect(await codeOf(flash.reserve(alone()))).toBe("ERR_SLUICE_INVENTORY_CLOSED");
    gate.resolve();
    await closing;
    expect((await result).status).toBe("reserved");
  });

  it("holds once for one id that asks twice at once", async () => {
    const { inventory } = await fixture();
    const flash = inventory.flash();
    const request = alone();
    const results = await Promise.all([flash.reserve(request), flash.reserve(request)]);
    expect(results.map(({ status }) => status)).toEqual(["reserved", "duplicate"]);
    expect((await inventory.levels(["a"]))[0]?.available).toBe(9);
  });
});
