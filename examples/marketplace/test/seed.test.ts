import { seededRandom } from "@sluice/core";
import { describe, expect, it } from "vitest";

import { digestOf } from "../src/seed/load-table.ts";
import { seedTables } from "../src/seed/seed-tables.ts";
import { seededId } from "../src/seed/seeded-id.ts";
import { zipf } from "../src/seed/zipf.ts";

describe("seed data", () => {
  it("is the same rows on every machine", () => {
    expect(seedTables("S").map(digestOf)).toEqual([
      { table: "users", rows: 200, sha256: "5900b8f804fd27143abfdf2e94538c4b0cf2742c1082a18ec7063a3767c3a699" },
      { table: "sellers", rows: 40, sha256: "fab3dcfea2370c34a0ecf75bbacc11a23def364fb48f614a0ee7cf9f317354ed" },
      { table: "categories", rows: 12, sha256: "adc65c1ff1a0aede6deb063d6acc7b500bf6d90c3e0730768d149c1a085bbc37" },
      { table: "products", rows: 500, sha256: "df2f96d644f71233377619905c4da559530c9534db450365d964149619e82103" },
      { table: "listings", rows: 1000, sha256: "93127e496a6cb0036fb8a603d814cee00bd0b0397f2f9fd21082276fef886651" },
    ]);
  });

  it("has a value for every column", () => {
    for (const { columns, rows } of seedTables("S")) {
      for (const row of rows) expect(row).toHaveLength(Object.keys(columns).length);
    }
  });

  it("gives a row the same id in every size", () => {
    const firstIds = (["S", "M"] as const).map((size) => {
      const [first = []] = seedTables(size)[4]?.rows ?? [];
      return first[0];
    });
    expect(firstIds).toEqual([seededId("listings", 0), seededId("listings", 0)]);
    expect(seededId("users", 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("prices everything in whole kobo within its category's reach", () => {
    const prices = [...(seedTables("S")[3]?.rows ?? [])].map((row) => row[5]);
    for (const price of prices) expect(Number.isSafeInteger(price) && Number(price) >= 5000).toBe(true);
  });

  it("follows Zipf's law", () => {
    const counts = [0, 0, 0, 0];
    const [draw, random] = [zipf(4), seededRandom(1)];
    for (let round = 0; round < 20_000; round += 1) {
      const rank = draw(random);
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    const weights = [1, 2, 3, 4].map((rank) => 1 / rank ** 1.07);
    const total = weights.reduce((sum, weight) => sum + weight);
    for (const [rank, weight] of weights.entries()) {
      expect((counts[rank] ?? 0) / 20_000).toBeCloseTo(weight / total, 1.5);
    }
  });
});
