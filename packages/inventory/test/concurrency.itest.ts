import { seededRandom } from "@sluice/core";
import { sqlState, withTransaction, type Isolation, type SqlDatabase } from "@sluice/postgres";
import { testSeed } from "@sluice/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createInventory, type Inventory } from "../src/index.ts";
import { postgresStore } from "../src/postgres.ts";
import { codeOf, uuid } from "./ids.ts";
import { openStock, type TestStock } from "./support.ts";
import { until } from "./until.ts";

type Tx = Parameters<Parameters<TestStock["db"]["transaction"]>[0]>[0];

const kinds = { "stock in PostgreSQL": {}, "stock in PostgreSQL without functions": { plain: true } };

describe.each(Object.entries(kinds))("%s", (_title, options) => {
  let stock: TestStock;
  let inventory: Inventory<Tx>;
  const products = ["a", "B", "é", "z", "😀", "\uFFFD"];

  beforeAll(async () => {
    stock = await openStock(options);
    inventory = createInventory({ store: stock.store });
  });
  afterAll(() => stock[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stock.clear();
    for (const productId of products) await inventory.restock({ productId, quantity: 50, key: productId });
  });

  it("lets overlapping carts in any order by without a deadlock", async () => {
    const random = seededRandom(testSeed());
    const conflicts: unknown[] = [];
    const noting = async <T>(work: Promise<T>): Promise<T> => {
      work.catch((error: unknown) => conflicts.push(error));
      return work;
    };
    const { db } = stock;
    const watched: SqlDatabase = {
      ...db,
      query: (text, params) => noting(db.query(text, params)),
      transaction: (work, how) => noting(db.transaction(work, how)),
    };
    const carefully = createInventory({ store: postgresStore(watched, options) });
    for (const productId of products) await inventory.restock({ productId, quantity: 1000, key: `${productId} more` });
    const carts = Array.from({ length: 12 }, async () => {
      for (let round = 0; round < 4; round += 1) {
        const lines = Array.from({ length: 4 }, () => ({
          productId: products[random.integer(0, products.length)] ?? "a",
          quantity: 1,
        }));
        const id = uuid();
        const way = random.float() < 0.3 ? "reserveWithOptimisticLock" : "reserve";
        const { status } = await carefully[way]({ id, lines });
        expect(status).toBe("reserved");
        if (random.float() < 0.5) await carefully.release(id);
        else await carefully.confirm(id);
      }
    });
    await Promise.all(carts);
    expect(conflicts).toEqual([]);
    expect(await inventory.verify()).toEqual([]);
  });

  it.each<Isolation>(["repeatable read", "serializable"])(
    "sells no unit twice to callers of %s, who run again after a conflict",
    async (isolation) => {
      const statuses = await Promise.all(
        Array.from({ length: 12 }, async (_, number) => {
          const id = uuid();
          const request = { id, lines: [{ productId: "a", quantity: 10 }] };
          const work = async (tx: Tx) => {
            await tx.query("select 1");
            const way = number % 3 === 0 ? "reserveWithOptimisticLock" : "reserve";
            return (await inventory[way](request, tx)).status;
          };
          return withTransaction(stock.db, work, { isolation, attempts: 50 });
        }),
      );
      expect(statuses.filter((status) => status === "reserved")).toHaveLength(5);
      expect(await inventory.verify()).toEqual([]);
    },
  );

  /** Runs `after` while `before` has written and not yet committed, and commits when `after` waits for it. */
  async function overlapping<T>(before: (tx: Tx) => Promise<unknown>, after: () => Promise<T>): Promise<T> {
    let waiting: Promise<T> | undefined;
    await stock.db.transaction(async (tx) => {
      await before(tx);
      waiting = after();
      waiting.catch(() => undefined);
      const blocked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      await until(async () => (await stock.db.query(blocked)).rowCount > 0);
    });
    return waiting ?? after();
  }

  it("decides on what is there when it has waited for the row, not on what was there before", async () => {
    const all = { id: uuid(), lines: [{ productId: "a", quantity: 50 }] };
    const more = { id: uuid(), lines: [{ productId: "a", quantity: 1 }] };
    const sold = await overlapping(
      (tx) => inventory.reserve(all, tx),
      () => inventory.reserve(more),
    );
    expect(sold).toMatchObject({ status: "sold_out", available: 0 });
    const same = { id: uuid(), lines: [{ productId: "B", quantity: 30 }] };
    const twice = await overlapping(
      (tx) => inventory.reserve(same, tx),
      () => inventory.reserve(same),
    );
    expect(twice.status).toBe("duplicate");
    const third = { id: uuid(), lines: [{ productId: "z", quantity: 30 }] };
    const batched = await overlapping(
      (tx) => inventory.reserve(third, tx),
      () => inventory.flash().reserve(third),
    );
    expect(batched.status).toBe("duplicate");
    expect(await inventory.verify()).toEqual([]);
  });

  it("lets go of no hold whose products it has not locked, since that came while it waited", async () => {
    const old = { id: uuid(), lines: [{ productId: "B", quantity: 3 }] };
    const next = { id: uuid(), replaces: old.id, lines: [{ productId: "a", quantity: 1 }] };
    const before = async (tx: Tx): Promise<void> => {
      await inventory.reserve({ id: uuid(), lines: [{ productId: "a", quantity: 1 }] }, tx);
      await inventory.reserve(old, tx);
    };
    const { status } = await overlapping(before, () => inventory.reserve(next));
    expect([status, (await inventory.get(old.id))?.state]).toEqual(["reserved", "open"]);
    expect(await inventory.verify()).toEqual([]);
  });

  it("does not reap a hold that is extended meanwhile", async () => {
    const id = uuid();
    await inventory.reserve({ id, lines: [{ productId: "a", quantity: 1 }], ttlMs: 60_000 });
    const extend = async (tx: Tx): Promise<void> => {
      expect((await inventory.extend(id, 600_000, tx)).status).toBe("extended");
      await stock.pass(61_000);
    };
    expect(await overlapping(extend, () => inventory.expire())).toBe(0);
    expect((await inventory.get(id))?.state).toBe("open");
    expect(await inventory.verify()).toEqual([]);
  });

  it("ends a hold once when the reaper, a confirmation and an extension race", async () => {
    for (let round = 0; round < 15; round += 1) {
      const id = uuid();
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 1 }], ttlMs: 5 });
      const [, [confirmed]] = await Promise.all([inventory.expire(), inventory.confirm(id), inventory.extend(id, 5)]);
      await stock.pass(20);
      await inventory.expire();
      const state = (await inventory.get(id))?.state;
      expect(state).toBe(confirmed?.changed ? "confirmed" : "expired");
    }
    expect(await inventory.verify()).toEqual([]);
  });

  it("ends a hold once when a confirmation and a release come at the same time, as the first of them says", async () => {
    for (const [first, second] of [
      ["confirm", "release"],
      ["release", "confirm"],
    ] as const) {
      const id = uuid();
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 1 }] });
      const [late] = await overlapping(
        (tx) => inventory[first](id, tx),
        () => inventory[second](id),
      );
      expect(late).toEqual({ id, status: first === "confirm" ? "confirmed" : "released", changed: false });
    }
    expect(await inventory.levels(["a"])).toMatchObject([{ onHand: 49, reserved: 0 }]);
    expect(await inventory.verify()).toEqual([]);
  });

  it("keeps those who want another product waiting for no longer than for a lock", async () => {
    const lanes = [{}, { reference: "order 9" }].map((more) => {
      const flash = inventory.flash({ connections: 1, deadlineMs: 300 });
      const ask = (productId: string) =>
        codeOf(flash.reserve({ id: uuid(), lines: [{ productId, quantity: 1 }], ...more }));
      return { flash, ask };
    });
    await stock.db.transaction(async (tx) => {
      await inventory.reserve({ id: uuid(), lines: [{ productId: "a", quantity: 1 }] }, tx);
      const goOn = async ({ ask }: (typeof lanes)[number]): Promise<void> => {
        expect(await ask("a")).toBe("ERR_SLUICE_INVENTORY_UNKNOWN");
        await until(async () => String(await ask("z")).includes("reserved"), 6000);
      };
      await Promise.all(lanes.map(goOn));
    });
    await Promise.all(lanes.map(({ flash }) => flash.close()));
    expect(await inventory.verify()).toEqual([]);
  });

  it("leaves the settings and the snapshot of the caller's transaction alone when it refuses", async () => {
    await stock.db.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '1234ms'");
      const tooMany = { id: uuid(), lines: [{ productId: "a", quantity: 51 }] };
      expect((await inventory.reserve(tooMany, tx)).status).toBe("sold_out");
      expect((await inventory.reserveWithOptimisticLock(tooMany, tx)).status).toBe("sold_out");
      expect((await tx.query("show lock_timeout")).rows).toEqual([{ lock_timeout: "1234ms" }]);
    });
  });

  it("is guarded by a constraint against whoever writes past it, and tells what does not add up", async () => {
    const oversell = stock.db.query("update sluice.inventory set reserved = on_hand + 1 where product_id = 'a'");
    expect(sqlState(await oversell.catch((error: unknown) => error))).toBe("23514");
    await stock.db.query("update sluice.inventory set on_hand = on_hand + 1 where product_id = 'a'");
    await stock.db.query("update sluice.inventory set reserved = reserved + 2 where product_id = 'B'");
    expect(await inventory.verify()).toEqual([
      { productId: "B", onHand: 50, moved: 50, reserved: 2, open: 0 },
      { productId: "a", onHand: 51, moved: 50, reserved: 0, open: 0 },
    ]);
    await inventory.checkpoint();
    expect(await inventory.verify()).toHaveLength(2);
    expect(await inventory.verify(1)).toHaveLength(1);
  });

  it("verifies what has changed since the checkpoint, however long the history is", async () => {
    const grow = async () => {
      await stock.db.script(
        `with grown as (
           insert into sluice.inventory_movement (product_id, kind, delta, dedupe)
           select 'a', 'adjust', 1, gen_random_uuid()::text from generate_series(1, 20000) returning delta)
         update sluice.inventory set on_hand = on_hand + (select sum(delta) from grown) where product_id = 'a';
         with ended as (
           insert into sluice.inventory_reservation (id, state, fingerprint, expires_at, resolved_at)
           select gen_random_uuid(), 'released', '', now(), now() from generate_series(1, 20000) returning id)
         insert into sluice.inventory_line select id, 'a', 1 from ended;
         insert into sluice.inventory_outbox (kind, product_id, available, version)
         select 'low_stock', 'a', 0, 1 from generate_series(1, 20000)`,
      );
      await inventory.checkpoint();
      const tables = ["_movement", "_reservation", "_line"].map((table) => `sluice.inventory${table}`);
      await stock.db.script(`vacuum analyze ${tables.join(", ")}`);
      return pagesRead();
    };
    for (let hold = 0; hold < 5; hold += 1)
      await inventory.reserve({ id: uuid(), lines: [{ productId: "z", quantity: 1 }] });
    const [first, second] = [await grow(), await grow()];
    expect(second).toBeLessThanOrEqual(first + 5);
    expect(await inventory.verify()).toEqual([]);
  });

  it("archives and purges all that has ended, and accounts for it as before", async () => {
    const ids = Array.from({ length: 40 }, uuid);
    for (const id of ids) await inventory.reserve({ id, lines: [{ productId: "a", quantity: 1 }] });
    await inventory.confirm(ids.slice(0, 20));
    await inventory.release(ids.slice(20, 39));
    await inventory.checkpoint();
    await stock.pass(10_000);
    while ((await inventory.archive(5000, 7)) > 0);
    for (let purged = 1; purged > 0;) {
      const { movements, reservations, events } = await inventory.purge(5000, 7);
      purged = movements + reservations + events;
    }
    const rows = async (table: string) => (await stock.db.query(`select from sluice.inventory${table}`)).rowCount;
    const tables = ["_movement", "_movement_archive", "_reservation", "_line", "_outbox"];
    expect(await Promise.all(tables.map(rows))).toEqual([0, 0, 1, 1, 0]);
    expect(await inventory.levels(["a"])).toMatchObject([{ onHand: 30, reserved: 1 }]);
    expect(await inventory.verify()).toEqual([]);
    await inventory.release(ids);
    await inventory.adjust({ productId: "a", quantity: -1, key: "count" });
    expect(await inventory.verify()).toEqual([]);
  });

  async function pagesRead(): Promise<number> {
    const { rows } = await stock.db.query<{
      readonly "QUERY PLAN": readonly [{ readonly Plan: Record<string, number> }];
    }>("explain (analyze, buffers, format json) select * from sluice.inventory_violations");
    const plan = rows[0]?.["QUERY PLAN"][0].Plan;
    return (plan?.["Shared Hit Blocks"] ?? 0) + (plan?.["Shared Read Blocks"] ?? 0);
  }
});
