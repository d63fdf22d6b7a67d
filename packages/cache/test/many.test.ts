import { createFakeClock } from "@sluice/testing";
import { expect, it } from "vitest";

import { memoryStore, type CacheStore } from "../src/index.ts";
import { rejection, shop } from "./support/shop.ts";

/** A store that knows how many of its reads were underway at once. */
function counting(): { store: CacheStore; reads: { most: number; underway: number; all: number } } {
  const clock = createFakeClock();
  const inner = memoryStore({ clock });
  const reads = { most: 0, underway: 0, all: 0 };
  const store = Object.assign(Object.create(inner) as CacheStore, {
    read: async (...wanted: Parameters<CacheStore["read"]>) => {
      reads.all += 1;
      reads.underway += 1;
      reads.most = Math.max(reads.most, reads.underway);
      return inner.read(...wanted).finally(() => (reads.underway -= 1));
    },
    now: () => inner.now(),
    mint: inner.mint.bind(inner),
    acquire: inner.acquire.bind(inner),
    put: inner.put.bind(inner),
    release: inner.release.bind(inner),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  });
  return { store, reads };
}

const ids = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);

it("ten thousand keys are asked for in portions that a store answers in time, and keep their order", async () => {
  const { store, reads } = counting();
  const here = shop({ cache: { store } });
  expect((await here.rows.getMany(ids)).map(({ id }) => id)).toEqual(ids);
  expect(here.loads).toBe(10_000);
  expect(reads.most).toBeGreaterThan(100);
  expect(reads.most).toBeLessThanOrEqual(256);
  expect((await here.rows.getMany(ids)).map(({ id }) => id)).toEqual(ids);
  expect(here.loads).toBe(10_000);
});

it("up to 256 keys are asked for at once, and the same key once", async () => {
  const { store, reads } = counting();
  const here = shop({ cache: { store } });
  await here.rows.getMany([...ids.slice(0, 128), ...ids.slice(0, 128)]);
  expect(reads).toMatchObject({ most: 128, all: 128 });
});

it("no more portions are asked for once one has failed", async () => {
  const { store, reads } = counting();
  const here = shop({ cache: { store } });
  here.instead = () => Promise.reject(new Error("the database is gone"));
  expect(await rejection(here.rows.getMany(ids))).toMatchObject({ message: "the database is gone" });
  await here.clock.advance(1000);
  expect(reads.all).toBeLessThanOrEqual(256);
});

it("nothing is read when one of many has no key", async () => {
  const { store, reads } = counting();
  const here = shop({ cache: { store } });
  expect(await rejection(here.rows.getMany(["a", ""]))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
  expect(await rejection(here.rows.getMany("a" as never))).toMatchObject({
    code: "ERR_SLUICE_INVALID_ARGUMENT",
    argument: "params",
  });
  expect(reads.all).toBe(0);
});
