import { createInventory } from "@sluice/inventory";
import { inventoryMigrations, postgresStore } from "@sluice/inventory/postgres";
import { redisAdmission } from "@sluice/inventory/redis";
import { migrate } from "@sluice/postgres";
import { connectPostgres, type Postgres } from "@sluice/postgres/connect";
import { connectRedis } from "@sluice/redis/ioredis";
import { createTestDatabase, service } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sluice } from "./session.ts";

const schema = "shop";
let url: string;
let db: Postgres;
beforeAll(async () => {
  url = await createTestDatabase();
  db = connectPostgres({ urls: url });
  await migrate(db, { package: "inventory", migrations: await inventoryMigrations(), schema });
});
afterAll(() => db.close());

/** The stock as another process has it. */
const stock = () => createInventory({ store: postgresStore(db, { schema }) });

const told = (line: string, env: Readonly<Record<string, string>> = {}) =>
  sluice(`inventory ${line} --schema ${schema}`, { DATABASE_URL: url, ...env });

describe("sluice inventory restock", () => {
  it("adds units once per key, however often it is called", async () => {
    const first = await told("restock shirt 5 --key delivery-1");
    expect([first.out, first.code]).toEqual(["shirt: done; 5 available.", 0]);
    const again = await told("restock shirt 5 --key delivery-1");
    expect([again.out, again.code]).toEqual(["shirt: that was done before; 5 available.", 0]);
    expect(await stock().levels(["shirt"])).toMatchObject([{ onHand: 5 }]);
  });

  it("exits with 1 when the key is another movement's", async () => {
    await told("restock cap 1 --key delivery-2");
    const { code, out } = await told("restock cap 2 --key delivery-2 --json");
    expect(JSON.parse(out)).toEqual({ status: "conflict" });
    expect(code).toBe(1);
    expect(await stock().levels(["cap"])).toMatchObject([{ onHand: 1 }]);
  });

  it("tells the hints in Redis, and does without when Redis is away", async () => {
    const prefix = `cli-${process.pid}:`;
    const { code } = await told(`restock mug 3 --key delivery-3 --prefix ${prefix}`, {
      REDIS_URL: service("redis").url,
    });
    expect(code).toBe(0);
    await using redis = connectRedis(service("redis").url);
    expect(await redis.read("GET", [`${prefix}mug`])).toBe("3");
    const away = await told("restock mug 1 --key delivery-4", { REDIS_URL: "redis://127.0.0.1:1" });
    expect([away.out, away.code]).toEqual([
      "mug: done; 4 available. Redis could not be told: its hint heals by itself.",
      0,
    ]);
  });
});

describe("sluice inventory low-stock", () => {
  it("lists what has reached its threshold, page by page", async () => {
    const inventory = stock();
    for (const productId of ["low-a", "low-b", "low-c"]) {
      await inventory.restock({ productId, quantity: 2, key: productId });
      await inventory.setLowAt(productId, productId === "low-c" ? 1 : 2);
    }
    const { out, code } = await told("low-stock --after low- --limit 1");
    expect([out, code]).toEqual(["low-a: 2 available (low at 2), 2 on hand, 0 reserved", 0]);
    const next = JSON.parse((await told("low-stock --after low-a --json")).out) as unknown;
    expect(next).toMatchObject([{ productId: "low-b", available: 2 }]);
    expect((await told("low-stock --after zzz")).out).toBe("Nothing is low.");
  });
});

describe("sluice inventory reconcile", () => {
  it("sets hints to what PostgreSQL says", async () => {
    const prefix = `cli-drift-${process.pid}:`;
    await using redis = connectRedis(service("redis").url);
    const admission = redisAdmission(redis, { prefix, deadlineMs: 5000 });
    await stock().restock({ productId: "lamp", quantity: 7, key: "lamp" });
    await admission.publish([{ productId: "lamp", available: 0, version: 0 }]);
    const env = { INVENTORY_REDIS_URL: service("redis").url };
    const { out, code } = await told(`reconcile --product lamp --prefix ${prefix}`, env);
    expect([out, code]).toEqual(["lamp: 7, not 0", 0]);
    expect(await redis.read("GET", [`${prefix}lamp`])).toBe("7");
    expect((await told(`reconcile --prefix ${prefix} --json`, env)).out).toBe("[]");
  });

  it("asks where Redis is when nothing says so", async () => {
    const { code, err } = await told("reconcile");
    expect(err).toContain("--redis, INVENTORY_REDIS_URL or REDIS_URL");
    expect(code).toBe(2);
  });
});

describe("sluice inventory verify", () => {
  it("finds nothing where all numbers agree, and exits with 1 where they do not", async () => {
    await stock().restock({ productId: "torn", quantity: 4, key: "torn" });
    expect(await told("verify")).toEqual({ out: "All numbers agree.", err: "", code: 0 });
    await db.query(`update ${schema}.inventory set on_hand = on_hand + 1 where product_id = 'torn'`);
    const { out, code } = await told("verify");
    expect([out, code]).toEqual(["torn: 5 on hand, 4 moved; 0 reserved, 0 held", 1]);
    const found = JSON.parse((await told("verify --json --limit 5")).out) as unknown;
    expect(found).toEqual([{ productId: "torn", onHand: 5, moved: 4, reserved: 0, open: 0 }]);
    await db.query(`update ${schema}.inventory set on_hand = on_hand - 1 where product_id = 'torn'`);
    expect((await told("verify --plain")).code).toBe(0);
  });

  it("says what is missing where the tables are not", async () => {
    const { code, err } = await sluice("inventory verify --schema nowhere", { DATABASE_URL: url });
    expect(code).toBe(1);
    expect(err).toMatch(/^42P01: .*"nowhere/);
  });
});
