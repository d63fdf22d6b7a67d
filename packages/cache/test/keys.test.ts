import { createHash } from "node:crypto";

import { testSeed } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createCache, md5Key, paramsKey, pathKey, type ScopeOptions } from "../src/index.ts";
import { rejection, shop } from "./support/shop.ts";

/** The key of the entry that a scope makes. */
function keyIn<Params>(options: Pick<ScopeOptions<Params, unknown>, "prefix" | "key">, params: Params): string {
  const { cache } = shop();
  return cache.scope<Params, unknown>("scope", { ttl: "1m", ...options }).entry(params).key;
}

describe("keys", () => {
  it("have the documented formats to the letter", () => {
    const query = { category: "abc", sort: "price", order: "asc", limit: 20 };
    const md5 = createHash("md5").update("category=abc:limit=20:order=asc:sort=price").digest("hex");
    const uuid = "5f0c3f5e-9a0b-4a53-9c4a-0f1d2c3b4a59";
    expect([
      keyIn({ prefix: "v1:feed", key: paramsKey<{ city: string; page: number }>() }, { page: 1, city: "Paris" }),
      keyIn({ prefix: "v1:listing_detail", key: paramsKey<{ id: number }>() }, { id: 42 }),
      keyIn({ prefix: "cache:products", key: md5Key<typeof query>() }, query),
      keyIn({ prefix: "cache:products", key: pathKey<string>() }, uuid),
      keyIn({ prefix: "product", key: pathKey<number>() }, 42),
      keyIn({ prefix: "recommendations", key: pathKey<string>() }, "42"),
      keyIn({ prefix: "availability", key: pathKey<[number, string]>() }, [42, "2026-01-31"]),
    ]).toEqual([
      "v1:feed:city=Paris:page=1",
      "v1:listing_detail:id=42",
      `cache:products:${md5}`,
      `cache:products:${uuid}`,
      "product:42",
      "recommendations:42",
      "availability:42:2026-01-31",
    ]);
  });

  it("are the same for parameters in another order, and for defaults that are spelled out", () => {
    const key = md5Key<{ sort?: string; limit?: number; q?: string }>({ defaults: { sort: "new", limit: 20 } });
    const texts = [{}, { limit: 20 }, { sort: "new", limit: 20 }, { limit: 20, sort: "new", q: undefined as never }];
    expect(new Set(texts.map((params) => key.keyOf(params).text)).size).toBe(1);
    expect(key.keyOf({ limit: 21 }).text).not.toBe(key.keyOf({}).text);
  });

  it("keep apart what a separator in a value could confuse", () => {
    const key = paramsKey<Record<string, unknown>>();
    const hostile = [
      { a: "x:b=y" },
      { a: "x", b: "y" },
      { a: 1 },
      { a: "1" },
      { a: [1, 2] },
      { a: "[1,2]" },
      { a: "{b}" },
    ];
    const texts = hostile.map((params) => key.keyOf(params).text);
    expect(new Set(texts).size).toBe(hostile.length);
    for (const text of texts) expect(text).toMatch(/^[\w.%=:[\],()'~@-]*$/);
  });

  it("of paths collide for equal segments only, whatever is in them", () => {
    const segment = fc.string({ minLength: 1, unit: "binary" }).filter((text) => text.isWellFormed());
    const path = fc.array(segment, { minLength: 1, maxLength: 3 });
    const key = pathKey<readonly string[]>();
    const failed = fc.check(
      fc.property(path, path, (one, other) => {
        const [first, second] = [key.keyOf(one), key.keyOf(other)];
        const isAlike = (first.text === second.text) === (JSON.stringify(one) === JSON.stringify(other));
        return isAlike && /^[\w.%:#-]+$/.test(first.text);
      }),
      { seed: testSeed(), numRuns: 500 },
    );
    expect(failed.counterexample).toBeNull();
  });

  it("that are long are named by their hash", () => {
    const { text } = paramsKey<{ q: string }>().keyOf({ q: "x".repeat(5000) });
    expect(text).toMatch(/^#[0-9a-f]{64}$/);
  });

  it("cannot be made of what has no canonical text", async () => {
    const here = shop();
    const scope = here.cache.scope("any", { prefix: "any", key: paramsKey<object>(), ttl: "1m", load: () => 1 });
    const path = here.cache.scope("path", { prefix: "path", key: pathKey<string>(), ttl: "1m", load: () => 1 });
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const params of [
      { a: Number.NaN },
      { a: () => 1 },
      { a: new Map() },
      circle,
      { a: "x".repeat(70_000) },
      null,
    ]) {
      expect(await rejection(scope.get(params as object))).toMatchObject({ code: "ERR_SLUICE_NOT_CANONICAL" });
    }
    // Not even the key of what is left out.
    const scopes = [paramsKey<{ page?: number }>({ defaults: { page: 1 } }), md5Key<object>({ defaults: {} })];
    for (const key of scopes) {
      for (const params of [null, undefined, 5, "a", 5n, Symbol("a"), [], [1], new Date(), new Map(), () => 1]) {
        expect(() => key.keyOf(params as object)).toThrow(
          expect.objectContaining({ code: "ERR_SLUICE_NOT_CANONICAL" }),
        );
      }
      expect(key.keyOf(Object.assign(Object.create(null) as object, { page: 1 }))).toEqual(key.keyOf({ page: 1 }));
    }
    for (const segment of ["", "\ud800", null, undefined, 1.5, Number.NaN, {}, [], `é${"x".repeat(20_000)}`]) {
      expect(await rejection(path.get(segment as string))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
    }
  });
});

describe("a scope", () => {
  it("is refused for what would make no key, or a key of somebody else", () => {
    const { cache } = shop();
    const options = { prefix: "v1:feed", key: paramsKey<object>(), ttl: "1m" } as const;
    const refused: readonly (readonly [string, object, string])[] = [
      ["a b", {}, "scope"],
      ["row", {}, "scope"],
      ["feed", { prefix: "v1:feed:" }, "prefix"],
      ["feed", { prefix: "v1:{feed}" }, "prefix"],
      ["feed", { prefix: "v1:fe*d" }, "prefix"],
      ["feed", { prefix: `v1:${"x".repeat(100)}` }, "prefix"],
      ["feed", { under: "v1:fee" }, "under"],
      ["feed", { ttl: "5" }, "ttl"],
      ["feed", { ttl: -1 }, "ttl"],
      ["feed", { jitter: 2 }, "jitter"],
      ["feed", { maxLoads: 0 }, "maxLoads"],
      ["feed", { maxBytes: Number.NaN }, "maxBytes"],
      ["feed", { stale: { onError: "soon" } }, "stale.onError"],
      ["feed", { loadTimeout: 0 }, "loadTimeout"],
      [undefined as never, {}, "scope"],
      ["feed", { key: undefined }, "key"],
      ["feed", { key: pathKey }, "key"],
      ["feed", { load: 5 }, "load"],
      ["feed", { groups: {} }, "groups"],
      ["feed", { alsoDrops: "v2:feed" }, "alsoDrops"],
      ["feed", { alsoDrops: ["{feed}"] }, "alsoDrops"],
    ];
    for (const [name, changes, argument] of refused) {
      let error: unknown;
      try {
        cache.scope(name, { ...options, ...changes });
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
    }
  });
});

it("a cache is refused for what would only be found later", () => {
  const refused: readonly (readonly [object, string])[] = [
    [{ l1: { maxEntries: 0 } }, "l1.maxEntries"],
    [{ l1: { maxEntries: "many" } }, "l1.maxEntries"],
    [{ l1: { maxBytes: 1.5 } }, "l1.maxBytes"],
    [{ l1: { maxAge: 0 } }, "l1.maxAge"],
    [{ health: { minHitRatio: 2 } }, "health.minHitRatio"],
    [{ health: { minReads: "few" } }, "health.minReads"],
    [{ journal: "soon" }, "journal"],
    [{ onStoreError: "ignore" }, "onStoreError"],
  ];
  for (const [options, argument] of refused) {
    expect(() => createCache(options)).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
  }
});

it("a format of the application's own is told at the first load that nothing could be stored", async () => {
  const here = shop();
  const long = "x".repeat(65_536);
  const wrong = { é: "a", "a b": "a", "{a}": "a", "a\n": "a", a: "é", b: "a\0", c: long };
  const own = here.cache.scope<readonly [string, string], number>("own", {
    prefix: "own",
    key: { keyOf: ([text, identity]) => ({ text, identity }) },
    ttl: "1m",
    load: () => 1,
  });
  for (const [text, identity] of Object.entries(wrong)) {
    expect(await rejection(own.get([text, identity]))).toMatchObject({
      code: "ERR_SLUICE_INVALID_ARGUMENT",
      argument: "key",
    });
  }
  expect(
    await own.getMany([
      ["a", "a"],
      ["a:(b)[c]~'@%#", "x".repeat(60_000)],
    ]),
  ).toEqual([1, 1]);
  expect(own.stats()).toMatchObject({ loads: 2, storesSkipped: { "store-error": 0 } });
});
