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

it("memory stays within its bound, whatever keys come to the store", { timeout: 120_000 }, async () => {
  const store = memoryStore({ maxBytes: 4_000_000 });
  const record = Buffer.alloc(400);
  const before = held();
  for (let index = 0; index < 100_000; index += 1) {
    const key = `hostile-${index}-${long}`;
    const [token = ""] = await store.mint([`sl:{${key}}:g`], 1e9);
    const claimed = await store.acquire({ key, holder: "aaaaaaaaaaaa", token, leaseMs: 1e9, seen: new Uint8Array() });
    // Every other load never ends.
    if (claimed.state === "granted" && index % 2 === 0)
      await store.put({ key, lease: claimed.lease, record, keepMs: 1e9 });
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
    await here.cache.invalidate(keys.slice(0, 20).map((key) => here.rows.entry(key)));
  }
  expect(here.loads).toBe(22_000);
  expect(held() - before).toBeLessThan(25_000_000);
});
