import { eventChannel } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";

import { instrument, type Instrumentation, type PackageTelemetry } from "../src/index.ts";
import { createTestTelemetry, type TestTelemetry } from "./support/test-telemetry.ts";

const orders = eventChannel<unknown>("sluice:test-orders");
const testOrders: PackageTelemetry = {
  name: "test-orders",
  constants: { "test.system": "shop" },
  events: {
    placed: [
      {
        instrument: "counter",
        name: "sluice.test_orders.placed",
        unit: "{order}",
        description: "Orders.",
        attributes: { "test.channel": "channel", "test.gift": "gift", "error.type": "error", "test.size": "size" },
      },
      {
        instrument: "counter",
        name: "sluice.test_orders.items",
        unit: "{item}",
        description: "Items.",
        amount: "items",
      },
      {
        instrument: "gauge",
        name: "sluice.test_orders.backlog",
        unit: "{order}",
        description: "Backlog.",
        value: "backlog",
      },
      {
        instrument: "histogram",
        name: "sluice.test_orders.weight",
        unit: "kg",
        description: "Weight.",
        value: "grams",
        scale: 0.001,
        buckets: [1, 10],
      },
    ],
  },
};
const placed = { type: "placed", channel: "web", items: 3, backlog: 7, grams: 2500 };
const system = { "test.system": "shop" };

const running: Instrumentation[] = [];
function start(): TestTelemetry & { readonly instrumentation: Instrumentation } {
  const telemetry = createTestTelemetry();
  const { meterProvider } = telemetry;
  const instrumentation = instrument({
    packages: [testOrders, "redis"],
    meterProvider,
    attributes: { "app.region": "eu" },
  });
  running.push(instrumentation);
  return { ...telemetry, instrumentation };
}
const region = { "app.region": "eu" };
afterEach(() => {
  for (const instrumentation of running.splice(0)) instrumentation.stop();
});

describe("an event", () => {
  it("feeds every metric that its package lists", async () => {
    const { points, metric } = start();
    orders.publish(placed);
    orders.publish(placed);
    expect(await points("sluice.test_orders.placed")).toEqual([[{ ...region, ...system, "test.channel": "web" }, 2]]);
    expect(await points("sluice.test_orders.items")).toEqual([[{ ...region, ...system }, 6]]);
    expect(await points("sluice.test_orders.backlog")).toEqual([[{ ...region, ...system }, 7]]);
    expect(await metric("sluice.test_orders.weight")).toMatchObject({
      descriptor: { unit: "kg" },
      dataPoints: [{ value: { count: 2, sum: 5, buckets: { boundaries: [1, 10], counts: [0, 2, 0] } } }],
    });
  });

  it("tells the kind of an error, and numbers and flags as labels", async () => {
    const { points } = start();
    orders.publish({ ...placed, error: new RangeError("order 4711"), gift: true, size: 12 });
    expect(await points("sluice.test_orders.placed")).toEqual([
      [
        {
          ...region,
          ...system,
          "test.channel": "web",
          "test.gift": true,
          "test.size": "12",
          "error.type": "RangeError",
        },
        1,
      ],
    ]);
  });

  it("of an unknown type is counted by package and type alone", async () => {
    const { metrics, points, instrumentation } = start();
    for (const type of ["shipped", "constructor", "__proto__"])
      orders.publish({ type, userId: "user-4711", sql: "select 1" });
    const counted = (await points("sluice.events")).map(([attributes]) => attributes);
    expect(counted).toEqual(
      ["shipped", "constructor", "__proto__"].map((type) => ({
        ...region,
        ...system,
        "sluice.package": "test-orders",
        "sluice.event": type,
      })),
    );
    expect(JSON.stringify(await metrics())).not.toMatch(/4711|select/);
    expect(instrumentation.dropped).toBe(0);
  });

  it("shows the breaker of Redis as a state and as transitions", async () => {
    const { points } = start();
    const redis = eventChannel<object>("sluice:redis");
    redis.publish({ type: "breaker-opened", role: "cache", shard: "a:1" });
    redis.publish({ type: "breaker-opened", role: "lock", shard: "" });
    redis.publish({ type: "breaker-closed", role: "cache", shard: "a:1" });
    const shard = { ...region, "db.system.name": "redis", "sluice.redis.role": "cache", "sluice.redis.shard": "a:1" };
    const states = await points("sluice.redis.breaker.state");
    expect(states.find(([attributes]) => attributes["sluice.redis.role"] === "cache")).toEqual([shard, 0]);
    expect(states.find(([attributes]) => attributes["sluice.redis.role"] === "lock")?.[1]).toBe(1);
    expect(await points("sluice.redis.breaker.transitions")).toContainEqual([
      { ...shard, "sluice.redis.breaker.state": "open" },
      1,
    ]);
  });
});

describe("an event that is not what its package promises", () => {
  const hostile: Readonly<Record<string, unknown>> = {
    "is not an object": "placed",
    "is null": null,
    "has a type that throws": {
      get type(): string {
        throw new Error("no");
      },
    },
    "is a revoked proxy": revoked(),
    "has a field that throws": {
      ...placed,
      get channel(): string {
        throw new Error("no");
      },
    },
    "lacks a number": { ...placed, items: "three" },
    "holds no finite number": { ...placed, backlog: Number.NaN },
  };

  it.each(Object.entries(hostile))("counts as dropped once when it %s", async (_title, event) => {
    const { instrumentation, points } = start();
    orders.publish(event);
    expect(instrumentation.dropped).toBe(1);
    expect(await points("sluice.telemetry.dropped")).toEqual([[{ "sluice.package": "test-orders" }, 1]]);
  });

  it("still feeds the metrics that it can feed", async () => {
    const { points } = start();
    const unreadable = {
      get(): never {
        throw new Error("no");
      },
    };
    orders.publish(Object.defineProperty({ ...placed }, "items", unreadable));
    orders.publish({ ...placed, items: undefined, backlog: 8 });
    expect(await points("sluice.test_orders.items")).toEqual([]);
    expect((await points("sluice.test_orders.backlog"))[0]?.[1]).toBe(8);
    expect((await points("sluice.test_orders.weight"))[0]?.[1]).toBe(2);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
