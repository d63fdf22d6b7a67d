import { createFakeClock, type FakeClock } from "@sluice/testing";
import { describe, expect, it, onTestFinished } from "vitest";

import {
  createInventory,
  inventoryEvents,
  InventoryUnavailableError,
  InventoryUnknownError,
  type Admission,
  type BatchDecision,
  type FlashOptions,
  type Inventory,
  type InventoryEvent,
  type InventoryStore,
  type WantedBatch,
} from "../src/index.ts";
import { memoryStore, type MemoryTransaction } from "../src/testing.ts";
import { codeOf, uuid } from "./ids.ts";

/** A memory store whose batches a test holds back, fails or counts. */
interface Scripted {
  readonly store: InventoryStore<MemoryTransaction>;
  readonly batches: WantedBatch[];
  /** From now on, batches go this way. `undefined`: to the store. */
  via(how: ((run: () => Promise<BatchDecision>, batch: WantedBatch) => Promise<BatchDecision>) | undefined): void;
}

function scripted(clock: FakeClock): Scripted {
  const store = memoryStore({ clock });
  const batches: WantedBatch[] = [];
  let via: Parameters<Scripted["via"]>[0];
  return {
    batches,
    via: (how) => void (via = how),
    store: {
      ...store,
      reserveBatch(batch, onReserved) {
        batches.push(batch);
        const run = () => store.reserveBatch(batch, onReserved);
        return via ? via(run, batch) : run();
      },
    },
  };
}

interface Fixture extends Scripted {
  readonly clock: FakeClock;
  readonly inventory: Inventory<MemoryTransaction>;
  readonly events: InventoryEvent[];
}

async function fixture(units: number, admission?: Admission): Promise<Fixture> {
  const clock = createFakeClock();
  const script = scripted(clock);
  const events: InventoryEvent[] = [];
  onTestFinished(inventoryEvents.subscribe((event) => events.push(event)));
  const inventory = createInventory({ store: script.store, clock, ...(admission && { admission }) });
  await inventory.restock({ productId: "a", quantity: units, key: "first" });
  return { ...script, clock, inventory, events };
}

const one = (id = uuid(), fresh = false) => ({ id, fresh, lines: [{ productId: "a", quantity: 1 }] });
const many = (count: number) => Array.from({ length: count }, () => one());
const never = (): Promise<BatchDecision> => new Promise(() => {});

function lane({ inventory }: Fixture, options: FlashOptions<MemoryTransaction> = {}) {
  return inventory.flash(options);
}

describe("a flash lane", () => {
  it("makes one batch of all who come in one turn, in their order", async () => {
    const f = await fixture(3);
    const flash = lane(f);
    const requests = many(5);
    const results = await Promise.all(requests.map((request) => flash.reserve(request)));
    expect(f.batches).toHaveLength(1);
    expect(results.map(({ status }) => status)).toEqual(["reserved", "reserved", "reserved", "sold_out", "sold_out"]);
    expect(results.at(-1)).toMatchObject({ certainty: "verified", available: 0 });
  });

  it("collects those who come while all connections are busy", async () => {
    const f = await fixture(100);
    const flash = lane(f, { connections: 1, maxBatch: 4 });
    const gate = Promise.withResolvers<void>();
    f.via(async (run) => {
      await gate.promise;
      return run();
    });
    const first = flash.reserve(one());
    await f.clock.advance(0);
    const later = many(6).map((request) => flash.reserve(request));
    gate.resolve();
    await Promise.all([first, ...later]);
    expect(f.batches.map(({ requests }) => requests.length)).toEqual([1, 4, 2]);
  });

  it("holds once for one id that asks twice at once", async () => {
    const f = await fixture(5);
    const flash = lane(f);
    const request = one();
    const results = await Promise.all([flash.reserve(request), flash.reserve(request)]);
    expect(results.map(({ status }) => status)).toEqual(["reserved", "duplicate"]);
    expect((await f.inventory.levels(["a"]))[0]?.available).toBe(4);
  });

  it("refuses at once whoever comes when too many wait, and says when to come again", async () => {
    const f = await fixture(100);
    const flash = lane(f, { maxQueue: 2 });
    const [one_, two, three] = many(3).map((request) => flash.reserve(request));
    await expect(three).rejects.toMatchObject({ code: "ERR_SLUICE_INVENTORY_OVERLOADED", retryAfterMs: 50 });
    expect((await Promise.all([one_, two])).map((result) => result?.status)).toEqual(["reserved", "reserved"]);
  });

  it("tells whoever was not sent in time that nothing is held, and it is not sent any more", async () => {
    const f = await fixture(100);
    const flash = lane(f, { connections: 1, deadlineMs: 500 });
    const gate = Promise.withResolvers<void>();
    f.via(async (run) => {
      await gate.promise;
      return run();
    });
    const sent = codeOf(flash.reserve(one()));
    await f.clock.advance(1);
    const unsent = one();
    const waiting = codeOf(flash.reserve(unsent));
    await f.clock.advance(510);
    expect(await sent).toBe("ERR_SLUICE_INVENTORY_UNKNOWN");
    expect(await waiting).toBe("ERR_SLUICE_INVENTORY_DEADLINE");
    expect(flash.waiting).toBe(0);
    gate.resolve();
    await flash.close();
    expect(await f.inventory.get(unsent.id)).toBeUndefined();
  });

  it("lets whoever was told unknown find out by the same id", async () => {
    const f = await fixture(1);
    const flash = lane(f, { deadlineMs: 500 });
    const request = one();
    f.via(async (run) => {
      await run();
      return never();
    });
    const lost = codeOf(flash.reserve(request));
    await f.clock.advance(510);
    expect(await lost).toBe("ERR_SLUICE_INVENTORY_UNKNOWN");
    f.via(undefined);
    const other = lane(f);
    expect((await other.reserve(one())).status).toBe("sold_out");
    // Also while the product is known to be sold out: the id may have been asked for before.
    expect((await other.reserve(request)).status).toBe("duplicate");
  });

  it("asks again with the same ids when a connection broke, and holds once", async () => {
    const f = await fixture(5);
    const flash = lane(f);
    let breaks = 3;
    f.via(async (run, { requests }) => {
      const decided = await run();
      breaks -= 1;
      if (breaks >= 0) throw new InventoryUnknownError(requests.map(({ id }) => id));
      return decided;
    });
    const results = many(2).map((request) => flash.reserve(request));
    await f.clock.advance(1000);
    expect((await Promise.all(results)).map(({ status }) => status)).toEqual(["duplicate", "duplicate"]);
    expect((await f.inventory.levels(["a"]))[0]?.available).toBe(3);
  });

  it("tries a database that is away until the deadline, and then says that nothing was done", async () => {
    const f = await fixture(5);
    const flash = lane(f, { deadlineMs: 500 });
    f.via(() => Promise.reject(new InventoryUnavailableError({ cause: new Error("connect ECONNREFUSED") })));
    const away = codeOf(flash.reserve(one()));
    await f.clock.advance(510);
    expect(await away).toBe("ERR_SLUICE_INVENTORY_UNAVAILABLE");
    expect(f.batches.length).toBeGreaterThan(2);
  });

  it("lets one order that cannot be written take nobody with it", async () => {
    const f = await fixture(10);
    const requests = many(7);
    const poison = requests[4]?.id;
    const flash = lane(f, {
      onReserved: async (_tx, reserved) => {
        if (reserved.some(({ id }) => id === poison)) throw new Error("no such customer");
      },
    });
    const outcomes = await Promise.allSettled(requests.map((request) => flash.reserve(request)));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, true, true, true, false, true, true]);
    expect((await f.inventory.levels(["a"]))[0]?.available).toBe(4);
  });

  it("writes what belongs to a request of several products in its transaction, too", async () => {
    const f = await fixture(10);
    await f.inventory.restock({ productId: "b", quantity: 1, key: "b" });
    const written: unknown[] = [];
    const flash = lane(f, { onReserved: async (_tx, reserved) => void written.push(...reserved) });
    const lines = [
      { productId: "a", quantity: 2 },
      { productId: "b", quantity: 1 },
    ];
    const id = uuid();
    expect((await flash.reserve({ id, lines, reference: "order 9" })).status).toBe("reserved");
    expect(written).toEqual([{ id, lines, reference: "order 9" }]);
  });

  it("answers fresh requests for what is sold out by itself, for a moment", async () => {
    const f = await fixture(1);
    const flash = lane(f);
    await flash.reserve(one());
    expect(await flash.reserve(one(uuid(), true))).toMatchObject({ status: "sold_out", certainty: "hint" });
    expect(f.batches).toHaveLength(1);
    await f.inventory.restock({ productId: "a", quantity: 1, key: "more" });
    await f.clock.advance(100);
    expect((await flash.reserve(one(uuid(), true))).status).toBe("reserved");
  });

  it("gives everybody an answer before it is closed, and takes nobody in afterwards", async () => {
    const f = await fixture(10);
    const flash = lane(f, { connections: 1, maxBatch: 2 });
    const results = many(5).map((request) => flash.reserve(request));
    await flash.close();
    expect((await Promise.all(results)).map(({ status }) => status)).toEqual(Array(5).fill("reserved"));
    expect(await codeOf(flash.reserve(one()))).toBe("ERR_SLUICE_INVENTORY_CLOSED");
  });
});

/** A hint that a test sets. */
function hinting(answer: () => Promise<"admitted" | "sold_out" | "unknown">): Admission & { published: number[] } {
  const published: number[] = [];
  return {
    published,
    admit: answer,
    async publish(levels) {
      published.push(...levels.map(({ available }) => available));
      return levels.map(() => undefined);
    },
  };
}

describe("an admission that is wrong", () => {
  it("refuses for no longer than it takes to let one through", async () => {
    const admission = hinting(async () => "sold_out");
    const f = await fixture(5, admission);
    const flash = lane(f);
    expect((await flash.reserve(one(uuid(), true))).status).toBe("reserved");
    expect(await flash.reserve(one(uuid(), true))).toMatchObject({ status: "sold_out", certainty: "hint" });
    await f.clock.advance(100);
    expect((await flash.reserve(one(uuid(), true))).status).toBe("reserved");
    expect(admission.published.at(-1)).toBe(3);
  });

  it("that admits everybody sells nothing twice, and is told of", async () => {
    const f = await fixture(
      1,
      hinting(async () => "admitted"),
    );
    const flash = lane(f);
    const results = await Promise.all([1, 2].map(() => flash.reserve(one(uuid(), true))));
    expect(results.map(({ status }) => status)).toEqual(["reserved", "sold_out"]);
    expect(f.events).toContainEqual({ type: "admission-refused", productId: "a" });
  });

  it("or does not answer lets everybody through, and is asked again later", async () => {
    let asked = 0;
    const f = await fixture(
      5,
      hinting(() => {
        asked += 1;
        return asked === 1 ? new Promise(() => {}) : Promise.resolve("admitted");
      }),
    );
    const flash = lane(f);
    const first = flash.reserve(one(uuid(), true));
    await f.clock.advance(50);
    expect((await first).status).toBe("reserved");
    expect((await flash.reserve(one(uuid(), true))).status).toBe("reserved");
    expect(asked).toBe(1);
    await f.clock.advance(1000);
    expect((await flash.reserve(one(uuid(), true))).status).toBe("reserved");
    expect(asked).toBe(2);
    expect(f.events.map(({ type }) => type).filter((type) => type === "degraded" || type === "recovered")).toEqual([
      "degraded",
      "recovered",
    ]);
  });
});
