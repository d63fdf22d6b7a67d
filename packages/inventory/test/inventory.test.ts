import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import {
  createInventory,
  createReaper,
  reserve_with_optimistic_lock,
  type LockPort,
  type ReserveRequest,
} from "../src/index.ts";
import { memoryStore } from "../src/testing.ts";
import { codeOf, uuid } from "./ids.ts";

const lines = [{ productId: "a", quantity: 1 }];

async function stocked(options: { lock?: LockPort } = {}) {
  const clock = createFakeClock();
  const store = memoryStore({ clock });
  const inventory = createInventory({ store, clock, ...options });
  await inventory.restock({ productId: "a", quantity: 10, key: "first" });
  return { clock, store, inventory };
}

describe("stock", () => {
  it.each([0, -1, 1.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY])(
    "refuses the quantity %j before anything is asked",
    async (quantity) => {
      const { inventory } = await stocked();
      const bad = { id: uuid(), lines: [{ productId: "a", quantity }] };
      for (const way of [inventory, inventory.flash()]) {
        expect(await codeOf(way.reserve(bad))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
      }
      expect(await codeOf(inventory.reserveWithOptimisticLock(bad))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    },
  );

  it("refuses input that is impossible before anything is asked", async () => {
    const { inventory } = await stocked();
    const id = uuid();
    const bad: readonly unknown[] = [
      { id: "7", lines },
      { id, lines: [] },
      { id, lines: [null] },
      { id, lines: [{ productId: "a", quantity: "2" }] },
      { id, lines: [{ productId: "a\0", quantity: 2 }] },
      { id, lines: [{ productId: "", quantity: 2 }] },
      { id, lines: [{ productId: "a", quantity: 2 ** 31 - 1 }, ...lines] },
      { id, lines, ttlMs: 0 },
      { id, lines, replaces: id },
      { id, lines, reference: "" },
    ];
    for (const request of bad) {
      expect(await codeOf(inventory.reserve(request as ReserveRequest))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
    const movements = [0, -1, 1.5].map((quantity) => inventory.restock({ productId: "a", quantity, key: "k" }));
    const upkeep = [
      inventory.lowStock({ after: "a\0" }),
      inventory.reconcile("a\0"),
      inventory.reconcile(""),
      inventory.archive(Number.NaN),
      inventory.purge(-1),
      inventory.deliver(async () => undefined, 0),
    ];
    for (const work of [...movements, ...upkeep, inventory.confirm([]), inventory.extend(id, Number.NaN)]) {
      expect(await codeOf(work)).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
    expect(() => createInventory({ store: memoryStore(), reservationTtlMs: 0 })).toThrow("reservationTtlMs");
  });

  it("is locked by the products of a call, once for all of them and in one order", async () => {
    const taken: (readonly string[])[] = [];
    const lock: LockPort = {
      withLock(keys, work) {
        taken.push(keys);
        return work();
      },
    };
    const { inventory } = await stocked({ lock });
    await inventory.restock({ productId: "B", quantity: 1, key: "B" });
    await inventory.reserve({ id: uuid(), lines: [...lines, { productId: "B", quantity: 1 }, ...lines] });
    await inventory.transaction(["a"], (tx) => inventory.reserve({ id: uuid(), lines }, tx));
    expect(taken).toEqual([["inventory:B", "inventory:a"], ["inventory:a"]]);
  });

  it("goes on under the row lock alone when the lock cannot be had", async () => {
    const lock: LockPort = { withLock: () => Promise.reject(new Error("busy")) };
    const { inventory } = await stocked({ lock });
    expect((await inventory.reserve({ id: uuid(), lines })).status).toBe("reserved");
  });

  it("keeps the outcome of the work when the lock fails afterwards", async () => {
    const lock: LockPort = {
      async withLock(_keys, work) {
        await work();
        throw new Error("lost");
      },
    };
    const { inventory } = await stocked({ lock });
    expect((await inventory.reserve({ id: uuid(), lines })).status).toBe("reserved");
    expect((await inventory.levels(["a"]))[0]?.available).toBe(9);
  });

  it("is given up on optimistically, or waited for, when others are faster each time", async () => {
    const { store, clock } = await stocked();
    let attempts = 0;
    const contended = {
      ...store,
      reserveUnlessChanged: () => {
        attempts += 1;
        return Promise.resolve(undefined);
      },
    };
    const patient = createInventory({ store: contended, clock, optimisticAttempts: 3 });
    const waiting = reserve_with_optimistic_lock(patient, { id: uuid(), lines });
    await clock.advance(100);
    expect((await waiting).status).toBe("reserved");
    expect(attempts).toBe(3);
    const proud = createInventory({ store: contended, clock, optimisticAttempts: 1, afterConflicts: "give-up" });
    expect((await proud.reserveWithOptimisticLock({ id: uuid(), lines })).status).toBe("contended");
  });
});

describe("a reaper", () => {
  it("gives back what was never paid for, all of it, and goes on after a failure", async () => {
    const { inventory, clock } = await stocked();
    for (let number = 0; number < 5; number += 1) await inventory.reserve({ id: uuid(), lines, ttlMs: 1500 });
    let fails = 1;
    const failing = {
      async expire(limit?: number) {
        fails -= 1;
        if (fails >= 0) throw new Error("away");
        return inventory.expire(limit);
      },
    };
    await using reaper = createReaper(failing, { limit: 2, clock });
    await clock.advance(1000);
    expect((await inventory.levels(["a"]))[0]?.available).toBe(5);
    await clock.advance(1000);
    expect((await inventory.levels(["a"]))[0]?.available).toBe(10);
    await reaper.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
