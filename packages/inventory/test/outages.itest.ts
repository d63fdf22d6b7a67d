import { seededRandom, sleep, systemClock } from "@sluice/core";
import { fromPg, withTransaction, type SqlDatabase } from "@sluice/postgres";
import { testSeed } from "@sluice/testing";
import { createFaultProxy, postgresProtocol } from "@sluice/testing/faults";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { createInventory } from "../src/index.ts";
import { postgresStore } from "../src/postgres.ts";
import { BusyShop } from "./fixtures/busy-shop.ts";
import { codeOf, uuid } from "./ids.ts";
import { openStock, quietPool, type TestStock } from "./support.ts";
import { until } from "./until.ts";

const supply = 1_000_000;
// The end of the message tells it from "read committed".
const commit = "commit\0";
let stock: TestStock;

beforeAll(async () => {
  stock = await openStock();
});
afterAll(() => stock[Symbol.asyncDispose]());
beforeEach(async () => {
  await stock.clear();
  await createInventory({ store: stock.store }).restock({ productId: "a", quantity: supply, key: "first" });
});

/** What callers were told is what there is, to the unit. */
async function expectAsTold({ told }: BusyShop): Promise<void> {
  const { rows } = await stock.db.query<{ readonly id: string; readonly state: string; readonly units: number }>(
    `select id::text, state, quantity::int as units
     from sluice.inventory_reservation join sluice.inventory_line on reservation_id = id`,
  );
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  expect(states).toEqual(told);
  expect(rows.every(({ units }) => units === 1)).toBe(true);
  const count = (state: string): number => [...told.values()].filter((each) => each === state).length;
  const inventory = createInventory({ store: stock.store });
  const [level] = await inventory.levels(["a"]);
  expect(level).toMatchObject({ onHand: supply - count("confirmed"), reserved: count("open") });
  expect(await inventory.verify()).toEqual([]);
}

async function throughProxy() {
  const { hostname, port } = new URL(stock.url);
  const proxy = await createFaultProxy({
    upstream: { host: hostname, port: Number(port || 5432) },
    protocol: postgresProtocol,
  });
  const pool = quietPool(proxy.url(stock.url));
  onTestFinished(async () => {
    await pool.end();
    await proxy.close();
  });
  return { proxy, db: fromPg(pool) };
}

function shopAt(db: SqlDatabase) {
  const shop = new BusyShop(db, seededRandom(testSeed()));
  const serving = shop.serve(12);
  serving.catch(() => undefined);
  onTestFinished(() => shop.abandon());
  return { shop, serving };
}

describe("whoever asks again by the same id", () => {
  it("is told the truth, and has it done once, while the server ends all sessions every 100 ms", async () => {
    const { shop, serving } = shopAt(stock.db);
    const killing = quietPool(stock.url, 1);
    onTestFinished(() => killing.end());
    const others = "datname = current_database() and pid <> pg_backend_pid()";
    let ended = 0;
    for (let round = 0; round < 12; round += 1) {
      const { rowCount } = await killing.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where ${others}`,
      );
      ended += rowCount ?? 0;
      await sleep(systemClock, 100);
    }
    const before = shop.told.size;
    await until(() => shop.told.size > before + 50, 20_000);
    shop.stop();
    await serving;
    expect(ended).toBeGreaterThan(12);
    await expectAsTold(shop);
  });

  it("is told the truth, and has it done once, while one answer of twenty is lost", async () => {
    const { proxy, db } = await throughProxy();
    const random = seededRandom(testSeed() + 1);
    const losing = proxy.loseReplyAfter(() => random.float() < 0.05, { times: 1_000_000 });
    const { shop, serving } = shopAt(db);
    await until(() => losing.lost > 40 && shop.told.size > 150, 20_000);
    shop.stop();
    await losing.lift();
    await serving;
    expect(losing.lost).toBeGreaterThan(40);
    await expectAsTold(shop);
  });
});

async function lossy() {
  const { proxy, db } = await throughProxy();
  const inventory = createInventory({ store: postgresStore(db) });
  await inventory.levels(["a"]);
  const losing = (text: string) => proxy.loseReplyAfter((request) => request.includes(text));
  return { db, inventory, losing };
}

describe("a table that is missing", () => {
  it("is told in the words of the server", async () => {
    const nowhere = createInventory({ store: postgresStore(stock.db, { schema: "nowhere" }) });
    const id = uuid();
    const request = { id, lines: [{ productId: "a", quantity: 1 }] };
    const calls = [
      nowhere.levels(["a"]),
      nowhere.get(id),
      nowhere.verify(),
      nowhere.expire(),
      nowhere.reserve(request),
    ];
    for (const code of await Promise.all(calls.map(codeOf))) expect(code).toMatch(/^(42P01|3F000)$/);
  });
});

describe("an answer that is lost", () => {
  const lines = [{ productId: "a", quantity: 2 }];

  it("is unknown to its caller, who learns it by the same id or key", async () => {
    const { inventory, losing } = await lossy();
    const id = uuid();
    const calls = [
      ["inventory_reserve", () => inventory.reserve({ id, lines }), { status: "duplicate" }],
      ["inventory_resolve", () => inventory.confirm(id), [{ id, status: "confirmed", changed: false }]],
      [
        "inventory_move",
        () => inventory.restock({ productId: "a", quantity: 5, key: "truck" }),
        { status: "duplicate", level: { available: supply + 3 } },
      ],
    ] as const;
    for (const [text, call, again] of calls) {
      const lost = losing(text);
      expect(await codeOf(call())).toBe("ERR_SLUICE_INVENTORY_UNKNOWN");
      expect(lost.lost).toBe(1);
      expect(await call()).toMatchObject(again);
    }
    expect(await inventory.levels(["a"])).toMatchObject([{ onHand: supply + 3, reserved: 0 }]);
    expect(await inventory.verify()).toEqual([]);
  });

  it("of a commit leaves the order of the caller's transaction once, with its units", async () => {
    const { db, inventory, losing } = await lossy();
    await db.script("create table placed (id uuid primary key)");
    const id = uuid();
    const place = () =>
      withTransaction(db, async (tx) => {
        const { status } = await inventory.reserve({ id, lines }, tx);
        await tx.query("insert into placed values ($1) on conflict do nothing", [id]);
        return status;
      });
    const lost = losing(commit);
    expect(await codeOf(place())).toBe("ERR_SLUICE_COMMIT_UNKNOWN");
    expect(lost.lost).toBe(1);
    expect(await place()).toBe("duplicate");
    expect((await db.query("select * from placed")).rowCount).toBe(1);
    expect(await inventory.levels(["a"])).toMatchObject([{ reserved: 2 }]);
  });

  it.each([
    ["statement", { text: "inventory_reserve_batch", status: "reserved", more: {} }],
    ["commit", { text: commit, status: "duplicate", more: {} }],
    ["statement for one caller", { text: "inventory_reserve(", status: "reserved", more: { reference: "order 9" } }],
    ["commit for one caller", { text: commit, status: "duplicate", more: { reference: "order 9" } }],
  ])(
    "to the %s of a flash lane is asked for again by the lane itself, and its job is there once",
    async (_title, { text, status, more }) => {
      const { db, inventory, losing } = await lossy();
      await db.script("create table if not exists job (id uuid primary key); truncate job");
      await using flash = inventory.flash({
        onReserved: async (tx, reserved) => {
          for (const { id } of reserved) await tx.query("insert into job values ($1)", [id]);
        },
      });
      const lost = losing(text);
      expect(await flash.reserve({ id: uuid(), lines, ...more })).toMatchObject({ status });
      expect(lost.lost).toBe(1);
      expect((await db.query("select * from job")).rowCount).toBe(1);
      expect(await inventory.levels(["a"])).toMatchObject([{ reserved: 2 }]);
    },
  );
});
