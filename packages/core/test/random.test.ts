import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { seededRandom, systemRandom } from "../src/index.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

function sequence(seed: number): number[] {
  const random = seededRandom(seed);
  return [random.float(), random.float(), random.float(), random.float()];
}

describe("seeded randomness", () => {
  it("gives the known sequence of a seed", () => {
    const random = seededRandom(42);
    expect([random.float(), random.float(), random.integer(0, 1000), ...random.bytes(4)]).toEqual([
      0.41675133339352777, 0.4326737708734171, 851, 201, 197, 164, 96,
    ]);
    expect(seededRandom(-1).float()).toBe(0.48734304797140726);
    expect(seededRandom(2 ** 53 - 1).float()).toBe(0.7340845909490664);
  });

  it("repeats itself, and differs by every bit of the seed", () => {
    expect(sequence(7)).toEqual(sequence(7));
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1, 1 - 2 ** 53];
    expect(new Set(seeds.map((seed) => sequence(seed).join())).size).toBe(seeds.length);
  });

  it.each([1.5, Number.NaN, 2 ** 53, Infinity])("refuses the seed %d", (seed) => {
    expect(thrownBy(() => seededRandom(seed))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "seed" });
  });
});

describe.each([
  ["seeded", seededRandom(20_260_131)],
  ["system", systemRandom],
])("%s randomness", (_name, random) => {
  it("draws floats from zero to below one, evenly", () => {
    const buckets = Array.from({ length: 16 }, () => 0);
    const draws = 64_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const bucket = Math.floor(random.float() * 16);
      buckets[bucket] = (buckets[bucket] ?? Number.NaN) + 1;
    }
    const expected = draws / 16;
    const chiSquared = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: above 60 in fewer than one of a million runs.
    expect(chiSquared).toBeLessThan(60);
    expect(buckets.length).toBe(16);
  });

  it("draws whole numbers within their bounds", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 2 ** 31 }), (from, span) => {
        fc.pre(Number.isSafeInteger(from + span));
        const drawn = random.integer(from, from + span);
        expect(Number.isSafeInteger(drawn) && drawn >= from && drawn < from + span).toBe(true);
      }),
      seeded(500),
    );
    expect(random.integer(5, 6)).toBe(5);
    const faces = new Set(Array.from({ length: 500 }, () => random.integer(1, 7)));
    expect([...faces].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("fills the widest range", () => {
    const drawn = Array.from({ length: 50 }, () => random.integer(0, Number.MAX_SAFE_INTEGER));
    expect(Math.max(...drawn)).toBeGreaterThan(2 ** 50);
    expect(drawn.some((number) => number % 2 === 1)).toBe(true);
  });

  it("fills bytes with all values", () => {
    const bytes = random.bytes(16_384);
    expect(bytes.length).toBe(16_384);
    expect(new Set(bytes).size).toBe(256);
    expect(random.bytes(0).length).toBe(0);
  });

  it.each([
    ["below", 1, 1],
    ["below", 2, 1],
    ["below", 0, 1.5],
    ["below", 0, Number.NaN],
    ["below", -(2 ** 53) + 1, 2 ** 53 - 1],
    ["from", Number.NaN, 1],
    ["from", 0.5, 3],
  ])("names %s when a range cannot be drawn from", (argument, from, below) => {
    expect(thrownBy(() => random.integer(from, below))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
      argument,
    });
  });

  it.each([-1, 1.5, 65_537, Number.NaN])("refuses to draw %d bytes", (length) => {
    expect(thrownBy(() => random.bytes(length))).toMatchObject({ argument: "length" });
  });
});
