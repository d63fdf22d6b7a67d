import { createLocks } from "@sluice/lock";
import { redisStore } from "@sluice/lock/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { createFaultProxy, frozen, killProcess, respProtocol } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { createInventory } from "../src/index.ts";
import { redisAdmission } from "../src/redis.ts";
import { uuid } from "./ids.ts";
import { openStock, type TestStock } from "./support.ts";
import { until } from "./until.ts";

let stock: TestStock;
let server: LaunchedRedis;

async function launch(port?: number): Promise<LaunchedRedis> {
  return launchRedis({ binary: (await findRedis()) ?? "redis-server", ...(port && { port }) });
}

beforeAll(async () => {
  stock = await openStock();
  server = await launch();
});
afterAll(async () => {
  await server.stop();
  await stock[Symbol.asyncDispose]();
});
beforeEach(() => stock.clear());

async function sale(units: number, { productId = "a", url = server.url } = {}) {
  const redis = connectRedis(url);
  const admin = new Ioredis(server.url);
  admin.on("error", () => undefined);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.close();
  });
  await admin.flushall();
  await redis.read("PING", []);
  const admission = redisAdmission(redis);
  const inventory = createInventory({ store: stock.store, admission, lock: createLocks({ store: redisStore(redis) }) });
  await inventory.restock({ productId, quantity: units, key: productId });
  const flash = inventory.flash();
  const request = () => ({ id: uuid(), fresh: true, lines: [{ productId, quantity: 1 }] });
  /** How many of so many get a unit, each asking again until it has one or all are gone. */
  const sell = async (buyers: number): Promise<number> => {
    const all = Array.from({ length: buyers }, async () => {
      let sold = false;
      await until(async () => {
        const result = await flash.reserve(request());
        sold = result.status === "reserved";
        return sold || (result.status === "sold_out" && result.certainty === "verified");
      });
      return sold;
    });
    return (await Promise.all(all)).filter(Boolean).length;
  };
  const expectSold = async (sold: number) => {
    expect(await inventory.verify()).toEqual([]);
    expect((await inventory.levels([productId]))[0]?.reserved).toBe(sold);
  };
  return { admin, admission, inventory, flash, request, sell, expectSold };
}

describe("the counter in Redis", () => {
  it("is published after each batch, and refuses what is gone without asking PostgreSQL", async () => {
    const { admin, flash, request, sell } = await sale(5);
    await until(async () => (await admin.get("stock:a")) === "5");
    expect(await admin.get("{stock:a}:v")).toBe("1");
    expect(await sell(5)).toBe(5);
    await until(async () => (await admin.get("stock:a")) === "0");
    expect(await admin.pttl("stock:a")).toBeGreaterThan(0);
    await flash.reserve(request());
    expect(await flash.reserve(request())).toMatchObject({ status: "sold_out", certainty: "hint" });
  });

  it("is never below zero, never made by a buyer, and of the newest version", async () => {
    const { admin, admission } = await sale(1);
    await admin.del("stock:b", "{stock:b}:v");
    expect(await admission.admit("b", 1)).toBe("unknown");
    expect(await admin.exists("stock:b")).toBe(0);
    await admission.publish([{ productId: "b", available: 10, version: 7 }]);
    expect(await admission.publish([{ productId: "b", available: 99, version: 6 }])).toEqual([10]);
    const answers = await Promise.all([7, 7, 1, 1, 1].map((quantity) => admission.admit("b", quantity)));
    expect(answers).toEqual(["admitted", "sold_out", "admitted", "admitted", "admitted"]);
    expect(await admin.get("stock:b")).toBe("0");
    await admin.set("stock:b", "nonsense");
    expect(await admission.admit("b", 1)).toBe("unknown");
    await admission.publish([{ productId: "b", available: 3, version: 7 }]);
    expect(await admin.get("stock:b")).toBe("3");
    await admission.publish([{ productId: "{b}x", available: 3, version: 7 }]);
    expect(await admission.admit("{b}x", 3)).toBe("admitted");
  });

  it.each([["0"], ["1000000"], [undefined]])(
    "costs nobody a unit and sells none twice when it is set to %s",
    async (value) => {
      const { admin, sell, expectSold } = await sale(60);
      const first = sell(20);
      if (value === undefined) await admin.flushall();
      else await admin.set("stock:a", value);
      expect(await first).toBe(20);
      if (value !== undefined) await admin.set("stock:a", value);
      expect(await sell(50)).toBe(40);
      await expectSold(60);
    },
  );

  it("may be frozen or killed during a sale", async () => {
    const { sell, expectSold } = await sale(60);
    expect(await frozen(server.pid, () => sell(20))).toBe(20);
    const { port } = server;
    const during = sell(20);
    await killProcess(server.pid);
    expect(await during).toBe(20);
    server = await launch(port);
    expect(await sell(30)).toBe(20);
    await expectSold(60);
  });

  it("costs nobody a unit when its answers are lost, which takes units off it that nobody has", async () => {
    const upstream = { host: "127.0.0.1", port: server.port };
    const proxy = await createFaultProxy({ upstream, protocol: respProtocol });
    onTestFinished(() => proxy.close());
    const { admin, sell, expectSold } = await sale(60, { url: proxy.url(server.url) });
    await until(async () => (await admin.get("stock:a")) === "60");
    const lost = proxy.loseReplyAfter((request) => request.includes("stock:a"), { times: 3 });
    expect(await sell(25)).toBe(25);
    expect(lost.lost).toBeGreaterThan(0);
    expect(await sell(50)).toBe(35);
    await expectSold(60);
  });

  it("heals, and leaves the hints of others alone, when another type has taken its place", async () => {
    const { admin, admission, inventory, flash, request } = await sale(4);
    await until(async () => (await admin.get("stock:a")) === "4");
    for (const key of ["stock:a", "{stock:a}:v"]) {
      await admin.del(key);
      await admin.lpush(key, "theirs");
    }
    expect(await admission.admit("a", 1)).toBe("unknown");
    expect((await flash.reserve(request())).status).toBe("reserved");
    await until(async () => (await admin.type("stock:a")) === "string");
    await inventory.reconcile();
    expect(await admin.mget("stock:a", "{stock:a}:v")).toEqual(["3", "2"]);
    await admin.set("stock:a", "1.5");
    expect(await admission.admit("a", 1)).toBe("unknown");
  });

  it("is set right by a reconciliation, which tells what it said", async () => {
    const { admin, inventory } = await sale(4);
    await inventory.restock({ productId: "b", quantity: 2, key: "b" });
    await until(async () => (await admin.get("stock:b")) === "2");
    await admin.set("stock:b", "77");
    expect(await inventory.reconcile("b")).toEqual([{ productId: "b", hint: 77, available: 2 }]);
    await admin.del("stock:a");
    expect(await inventory.reconcile()).toEqual([]);
    expect(await admin.mget("stock:a", "stock:b")).toEqual(["4", "2"]);
  });
});

it("stock under a lock in Redis is reserved while that Redis is away", async () => {
  const { inventory } = await sale(5);
  const id = uuid();
  await frozen(server.pid, async () => {
    expect((await inventory.reserve({ id, lines: [{ productId: "a", quantity: 2 }] })).status).toBe("reserved");
  });
  expect((await inventory.reserve({ id, lines: [{ productId: "a", quantity: 2 }] })).status).toBe("duplicate");
});
