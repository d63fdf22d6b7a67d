import { describe, expect, it } from "vitest";

import { memoryStore, paramsKey, pathKey, type CacheStore, type LoadContext } from "../src/index.ts";
import { gate, heard, rejection, shop, type Row } from "./support/shop.ts";

/** A store that can be told to fail. */
function failing(): { store: CacheStore; fails: { calls: boolean } } {
  const inner = memoryStore();
  const fails = { calls: false };
  const guarded = new Set<PropertyKey>(["read", "mint", "acquire", "put", "renew", "release", "drop", "bump"]);
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      if (!guarded.has(name)) return call;
      return async (...args: unknown[]) => {
        if (fails.calls) throw new Error("the store is away");
        return call(...args);
      };
    },
  });
  return { store, fails };
}

/** A load with so many tags. */
function load(count: number): { load: (context: LoadContext) => never } {
  const tags = Array.from({ length: count }, (_, index) => `tag-${index}`);
  return { load: (context) => context.tags(...tags) as never };
}

describe("an invalidation", () => {
  it("ends an entry, a scope, a group, a prefix, and nothing else", async () => {
    const here = shop({ scope: { groups: (id) => ({ kind: id[0] ?? "" }) } });
    const other = here.cache.scope("other", {
      prefix: "row",
      key: paramsKey<object>(),
      ttl: "1m",
      load: () => here.version,
    });
    const all = async (): Promise<unknown[]> => [
      ...(await here.rows.getMany(["a1", "a2", "b1"])).map(({ version }) => version),
      await other.get({}),
    ];
    expect(await all()).toEqual([1, 1, 1, 1]);
    here.version = 2;
    await here.cache.invalidate([here.rows.entry("a1")]);
    expect(await all()).toEqual([2, 1, 1, 1]);
    here.version = 3;
    await here.cache.invalidate([here.rows.group({ kind: "a" })]);
    expect(await all()).toEqual([3, 3, 1, 1]);
    here.version = 4;
    await here.cache.invalidate([other.all()]);
    expect(await all()).toEqual([3, 3, 1, 4]);
    here.version = 5;
    await here.cache.invalidate([here.cache.prefix("row")]);
    expect(await all()).toEqual([5, 5, 5, 5]);
  });

  it("reaches results by their tags, and leaves the others", async () => {
    const here = shop({ scope: { tags: true } });
    const get = (id: string, ...tags: string[]) =>
      here.rows.get(id, { load: (context) => (context.tags(...tags), { id, version: here.version }) });
    await Promise.all([get("a", "user-1", "user-2"), get("b", "user-2"), get("c")]);
    here.version = 2;
    await here.cache.invalidate([here.rows.tag("user-1")]);
    expect(await Promise.all([get("a"), get("b"), get("c")])).toMatchObject([
      { version: 2 },
      { version: 1 },
      { version: 1 },
    ]);
    await here.cache.invalidate([here.rows.tag("user-2")]);
    expect(await get("b")).toMatchObject({ version: 2 });
    expect(await get("c")).toMatchObject({ version: 1 });
  });

  it("of a tag keeps a result that was loading meanwhile from being stored", async () => {
    const here = shop({ scope: { tags: true } });
    const row = gate<Row>();
    const read = here.rows.get("a", { load: (context) => (context.tags("user-1"), row.passed) });
    await here.clock.advance(0);
    await here.cache.invalidate([here.rows.tag("user-1")]);
    row.open({ id: "a", version: 1 });
    await read;
    here.version = 2;
    expect(await here.rows.get("a")).toMatchObject({ version: 2 });
    expect(here.rows.stats().storesSkipped["tags-moved"]).toBe(1);
  });

  it("of a group is refused without a value, which nothing is in", () => {
    const { rows } = shop();
    for (const value of [{ category: undefined }, {}, { a: 1, b: 2 }, null, undefined, "category", 5]) {
      expect(() => rows.group(value as never)).toThrow(
        expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "group" }),
      );
    }
  });

  it("refuses a tag that makes no key, so that nobody goes on loading in vain", async () => {
    const here = shop({ scope: { tags: true } });
    for (const tag of ["", "\ud800", undefined, null, Symbol("tag"), ["a"], "é".repeat(20_000)]) {
      const read = here.rows.get("a", {
        load: ({ tags }) => {
          tags("fine", tag as never);
          return { id: "a", version: 1 };
        },
      });
      expect(await rejection(read)).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "tag" });
      expect(() => here.rows.tag(tag as never)).toThrow(expect.objectContaining({ argument: "tag" }));
    }
  });

  it("refuses tags where the scope has none, and too many of them", async () => {
    const here = shop();
    const tagged = here.cache.scope("tagged", { prefix: "tagged", key: pathKey<string>(), ttl: "1m", tags: true });
    expect(await rejection(here.rows.get("a", load(1)))).toMatchObject({ code: "ERR_SLUICE_CACHE_VALUE" });
    expect(await rejection(tagged.get("a", load(17)))).toMatchObject({ code: "ERR_SLUICE_CACHE_VALUE" });
  });

  it("hands a value that was loading meanwhile to those who asked before, and to nobody else", async () => {
    for (const target of ["entry", "all"] as const) {
      const here = shop();
      const row = gate<Row>();
      here.instead = () => row.passed;
      const before = [here.rows.get("a"), here.rows.get("a")];
      await here.clock.advance(0);
      const joined = here.rows.get("a");
      await here.clock.advance(0);
      here.instead = undefined;
      here.version = 2;
      await here.cache.invalidate([target === "entry" ? here.rows.entry("a") : here.rows.all()]);
      const after = here.rows.get("a");
      expect(await after).toEqual({ id: "a", version: 2 });
      row.open({ id: "a", version: 1 });
      expect(await Promise.all([...before, joined])).toMatchObject([{ version: 1 }, { version: 1 }, { version: 1 }]);
      expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
      expect(here.rows.stats().storesSkipped.lease).toBe(1);
    }
  });

  it("is applied while the cache is switched off, which can be switched on again at any time", async () => {
    const flag = { on: true };
    const here = shop({ cache: { enabled: () => flag.on, l1: {} } });
    await here.cache.ready();
    await here.rows.get("a");
    flag.on = false;
    here.version = 2;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(await here.cache.invalidate([here.rows.entry("a")])).toEqual({ applied: 1, queued: 0 });
    flag.on = true;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(here.rows.stats().reads).toMatchObject({ bypass: 1, miss: 2 });
  });

  it("is kept to and repeated when the store cannot be told, and says so", async () => {
    const events = heard();
    const { store, fails } = failing();
    const here = shop({ cache: { store, l1: {} } });
    await here.cache.ready();
    await here.rows.get("a");
    here.version = 2;
    fails.calls = true;
    expect(await here.cache.invalidate([here.rows.entry("a"), here.rows.all()])).toEqual({ applied: 0, queued: 2 });
    expect(await rejection(here.cache.invalidate([here.rows.all()], { strict: true }))).toMatchObject({
      code: "ERR_SLUICE_CACHE_INVALIDATION_QUEUED",
      applied: 0,
      queued: 1,
    });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    fails.calls = false;
    // The store is there again and still has the old value: it does not count until the store was told.
    here.version = 3;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 3 });
    await here.clock.advance(5000);
    expect(events).toContainEqual({ type: "invalidations-replayed", targets: 2, reason: "retry" });
    await here.rows.get("a");
    here.loads = 0;
    await here.rows.get("a");
    expect(here.loads).toBe(0);
    expect(events.filter(({ type }) => type === "store-failed").length).toBe(1);
  });

  it("waits for the store in bounded memory: too many single ones become a flush of their prefix", async () => {
    const events = heard();
    const { store, fails } = failing();
    const here = shop({ cache: { store } });
    await here.rows.get("a");
    fails.calls = true;
    const targets = Array.from({ length: 10_001 }, (_, index) => here.rows.entry(`key-${index}`));
    await here.cache.invalidate(targets);
    expect(events).toContainEqual({ type: "journal-overflow", dropped: 10_001 });
    fails.calls = false;
    here.version = 2;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    await here.clock.advance(5000);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
  });

  it("keeps values short while a replica may lag behind", async () => {
    const here = shop({ scope: { settle: "2s" } });
    await here.rows.get("a");
    for (const target of [here.rows.entry("a"), here.rows.all()]) {
      await here.clock.advance(10_000);
      await here.cache.invalidate([target]);
      // What a replica still has.
      here.version = 1;
      await here.rows.get("a");
      here.version = 2;
      await here.clock.advance(2000);
      expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
      await here.clock.advance(30_000);
      here.loads = 0;
      await here.rows.get("a");
      expect(here.loads).toBe(0);
    }
  });

  it("by one release reaches what another one has stored", async () => {
    const store = memoryStore();
    const old = shop({ cache: { store }, scope: { prefix: "v1:row" } });
    const next = shop({ cache: { store }, scope: { prefix: "v2:row", alsoDrops: ["v1:row"] } });
    await Promise.all([old.rows.get("a"), next.rows.get("a")]);
    old.version = next.version = 2;
    await old.cache.flush("v1:row:");
    expect(await next.rows.get("a")).toMatchObject({ version: 2 });
    expect(await old.rows.get("a")).toMatchObject({ version: 2 });
    old.version = next.version = 3;
    await next.cache.invalidate([next.rows.entry("a")]);
    expect(await old.rows.get("a")).toMatchObject({ version: 3 });
  });
});
