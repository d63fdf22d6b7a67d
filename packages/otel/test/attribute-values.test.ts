import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { eventChannel } from "@sluice/core";
import { describe, expect, it } from "vitest";

import { createAttributeValues } from "../src/attribute-values.ts";
import { errorType } from "../src/error-type.ts";
import { instrument, type PackageTelemetry } from "../src/index.ts";
import { createTestTelemetry } from "./support/test-telemetry.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("the values of an attribute", () => {
  it("are kept up to the limit, and are other after it", () => {
    const values = createAttributeValues(2);
    const labels = ["a", "b", "c", "a", "d", "b"].map((value) => values.label("x", value));
    expect(labels).toEqual(["a", "b", "other", "a", "other", "b"]);
  });

  it("do not take the places of another attribute", () => {
    const values = createAttributeValues(1);
    expect(values.label("x", "a")).toBe("a");
    expect(values.label("y", "b")).toBe("b");
    expect(values.label("x", "b")).toBe("other");
  });

  it("are cut to 64 characters, and count as one from there", () => {
    const values = createAttributeValues(1);
    const long = "k".repeat(64);
    expect(values.label("x", `${long}-1`)).toBe(long);
    expect(values.label("x", `${long}-2`)).toBe(long);
  });

  it("are well-formed text although a cut splits a character", () => {
    const values = createAttributeValues(1);
    const split = `${"k".repeat(63)}😀`;
    expect(values.label("x", split)).toBe(`${"k".repeat(63)}\uFFFD`);
    expect(values.label("x", split)).toBe(`${"k".repeat(63)}\uFFFD`);
  });

  it("are absent for what is neither text, number, flag nor error", () => {
    const values = createAttributeValues(9);
    for (const value of [undefined, null, {}, ["a"], Symbol("a"), () => "a"]) {
      expect(values.label("x", value)).toBeUndefined();
    }
    expect([true, 7, 8n].map((value) => values.label("x", value))).toEqual([true, "7", "8"]);
  });

  it("do not hold on to the texts that they were cut from", () => {
    const values = createAttributeValues(5000);
    const before = heapBytes();
    // 10,000 values out of texts of 10 kB each.
    for (let index = 0; index < 5000; index += 1) {
      values.label("x", randomBytes(5000).toString("hex"));
      values.label("y", randomBytes(5000).toString("hex").slice(0, 40));
    }
    expect(heapBytes() - before).toBeLessThan(20_000_000);
    expect(values.label("x", "new")).toBe("other");
  });
});

const attributes = { "test.key": "key", "test.user": "user" };
const hostile: PackageTelemetry = {
  name: "test-hostile",
  events: {
    seen: [
      { instrument: "counter", name: "sluice.test_hostile.seen", unit: "{event}", description: "Test.", attributes },
    ],
  },
};
const events = eventChannel<object>("sluice:test-hostile");
function publishHostile(from: number, below: number): void {
  for (let index = from; index < below; index += 1) {
    const key = `${index}-${"x".repeat(100)}`;
    events.publish({ type: index % 10 > 0 ? "seen" : key, key, user: `user-${index % 977}` });
  }
}

describe("memory", () => {
  it("stays within bounds when an attribute takes a million values", async () => {
    const { meterProvider, points } = createTestTelemetry();
    const instrumentation = instrument({ packages: [hostile], meterProvider });
    publishHostile(0, 20_000);
    const before = heapBytes();
    publishHostile(20_000, 1_000_000);
    expect(heapBytes() - before).toBeLessThan(1_000_000);
    instrumentation.stop();
    const keys = new Set((await points("sluice.test_hostile.seen")).map(([labels]) => labels["test.key"]));
    expect(keys.size).toBe(101);
    expect(keys).toContain("other");
    expect(instrumentation.dropped).toBe(0);
  }, 60_000);

  it("of the SDK is bounded by the values that it is given", async () => {
    const { meterProvider, points } = createTestTelemetry();
    const instrumentation = instrument({ packages: [hostile], meterProvider, maxAttributeValues: 20 });
    publishHostile(0, 20_000);
    instrumentation.stop();
    const seen = (await points("sluice.test_hostile.seen")).map(([labels]) => labels);
    expect(new Set(seen.map((labels) => labels["test.key"])).size).toBe(21);
    expect(new Set(seen.map((labels) => labels["test.user"])).size).toBe(21);
    expect(await points("sluice.events")).toHaveLength(21);
  });
});

describe("the kind of an error", () => {
  it.each([
    [Object.assign(new Error("x"), { code: "ERR_SLUICE_TIMEOUT" }), "ERR_SLUICE_TIMEOUT"],
    [Object.assign(new Error("x"), { code: "40001" }), "40001"],
    [Object.assign(new Error("x"), { code: "user ada@example.com" }), "Error"],
    [Object.assign(new Error("x"), { code: 11_000 }), "Error"],
    [new DOMException("x", "AbortError"), "AbortError"],
    [new TypeError("x"), "TypeError"],
    [Object.assign(new Error("x"), { name: "sk_live_4711 refused" }), "_OTHER"],
    ["token 4711", "_OTHER"],
    [undefined, "_OTHER"],
    [null, "_OTHER"],
  ])("is its code, else its name, and never its message (%#)", (error, type) => {
    expect(errorType(error)).toBe(type);
  });
});
