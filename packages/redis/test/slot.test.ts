import { describe, expect, it } from "vitest";

import { commonSlot, slotOf, tagOf } from "../src/index.ts";
import { rejection } from "./servers.ts";

describe("hash slots", () => {
  it("agree with the Cluster specification", () => {
    // The specification's own check value of CRC-16/XMODEM for "123456789" is 0x31C3.
    expect(slotOf("123456789")).toBe(0x31c3 % 16_384);
    expect(slotOf("foo")).toBe(12_182);
    expect(slotOf("")).toBe(0);
  });

  it("depend on the hash tag alone, where there is one", () => {
    expect(slotOf("{user1000}.following")).toBe(slotOf("user1000"));
    expect(slotOf("foo{{bar}}zap")).toBe(slotOf("{bar"));
    expect(slotOf("foo{bar}{zap}")).toBe(slotOf("bar"));
    // An empty tag is none: the whole key counts.
    expect(slotOf("foo{}{bar}")).not.toBe(slotOf("bar"));
    expect(slotOf("foo{}{bar}")).toBe(8363);
  });

  it("count bytes, not characters", () => {
    expect(slotOf("ключ")).toBe(10_303);
  });

  it("have a tag each that leads back to them", () => {
    for (const slot of [0, 1, 8191, 16_383]) expect(slotOf(`any:${tagOf(slot)}:key`)).toBe(slot);
  });

  it("must be shared by the keys of one call", async () => {
    expect(commonSlot(["{a}:1", "{a}:2"])).toBe(slotOf("a"));
    const error = await rejection(Promise.resolve().then(() => commonSlot(["{a}:1", "{a}:2", "{b}:1"])));
    expect(error).toMatchObject({ code: "ERR_SLUICE_REDIS_CROSS_SLOT", applied: "no" });
    expect(error.message).toContain('"{a}:1" and "{b}:1"');
  });
});
