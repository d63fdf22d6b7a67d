import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import { memoryStore } from "../src/index.ts";
import { shop } from "./support/shop.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are really held. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const long = "x".repeat(150);

it("memory stays within its bound, when a million keys come to the store", { timeout: 120_000 }, async () => {
  const store = memoryStore({ maxBytes: 4_000_000 });
  const record = Buffer.alloc(400);
  const seen = new Uint8Array();
  const before = held();
  for (let batch = 0; batch < 1000; batch += 1) {
    const keys = Array.from({ length: 1000 }, (_, index) => `hostile-${batch}-${index}-${long}`);
    const tokens = await store.mint(
      keys.map((key) => `sl:{${key}}:g`),
      1e9,
    );
    const claims = keys.map((key, index) => ({
      key,
      holder: "aaaaaaaaaaaa",
      token: tokens[index] ?? "",
      leaseMs: 1e9,
      seen,
    }));
    const claimed = await Promise.all(claims.map((claim) => store.acquire(claim)));
    for (const [index, claim] of claimed.entries()) {
      // Every other load never ends.
      if (claim.state === "granted" && index % 2 === 0)
        await store.put({ key: keys[index] ?? "", lease: claim.lease, record, keepMs: 1e9 });
    }
  }
  expect(held() - before).toBeLessThan(12_000_000);
});

it("memory stays within its bound, whatever keys come to the cache", { timeout: 120_000 }, async () => {
  const store = memoryStore({ maxBytes: 4_000_000 });
  const here = shop({
    cache: { store, l1: { maxBytes: 2_000_000, maxEntries: 5000 } },
    scope: { groups: (id) => ({ group: id }), stale: { onError: "1h" } },
  });
  await here.cache.ready();
  await here.rows.getMany(Array.from({ length: 2000 }, (_, index) => `warm-up-${index}`));
  const before = held();
  for (let batch = 0; batch < 100; batch += 1) {
    const keys = Array.from({ length: 200 }, (_, index) => `key-${batch}-${index}-${long}`);
    await here.rows.getMany(keys);
    await here.cache.invalidate(keys.map((key) => here.rows.entry(key)));
  }
  expect(here.loads).toBe(22_000);
  expect(held() - before).toBeLessThan(25_000_000);
});
