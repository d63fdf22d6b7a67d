import { describe, expect, it } from "vitest";

import { memoryStore, paramsKey, pathKey } from "../src/index.ts";
import { rejection, shop } from "./support/shop.ts";

describe("rules", () => {
  interface Events {
    readonly created: object;
    readonly moved: { readonly before: string; readonly after: string };
  }

  it("get what was before and what is after, and invalidate both", async () => {
    const here = shop({ scope: { groups: (id) => ({ category: id[0] ?? "" }) } });
    const rules = here.cache.rules<Events>({
      created: () => [here.rows.all()],
      moved: ({ before, after }) => [here.rows.group({ category: before }), here.rows.group({ category: after })],
    });
    const all = async (): Promise<number[]> => (await here.rows.getMany(["a", "b", "c"])).map(({ version }) => version);
    await all();
    here.version = 2;
    expect(await rules.emit("moved", { before: "a", after: "b" })).toEqual({ applied: 2, queued: 0 });
    expect(await all()).toEqual([2, 2, 1]);
    here.version = 3;
    await rules.emit("created", {}, { strict: true });
    expect(await all()).toEqual([3, 3, 3]);
  });

  it("can be planned as plain data, and applied elsewhere", async () => {
    const store = memoryStore();
    const [one, other] = [shop({ cache: { store } }), shop({ cache: { store } })];
    await other.rows.get("a");
    const rules = one.cache.rules<{ changed: string }>({ changed: (id) => [one.rows.entry(id), one.rows.all()] });
    const plan: unknown = JSON.parse(JSON.stringify(rules.plan("changed", "a")));
    other.version = 2;
    await other.cache.invalidate(plan as never);
    expect(await other.rows.get("a")).toMatchObject({ version: 2 });
    for (const wrong of [
      {},
      { kind: "entry" },
      { kind: "generation", generations: [], family: "x" },
      { kind: "x", keys: ["a"], family: "x" },
      { kind: "entry", keys: ["a"], family: "x" },
      { kind: "entry", keys: ["a"], family: "x", settleMs: -1 },
      { kind: "generation", generations: ["a"], family: "x", maxStaleMs: "1" },
      null,
      undefined,
      "v1:feed",
    ]) {
      expect(await rejection(other.cache.invalidate([wrong as never]))).toMatchObject({ argument: "target" });
    }
  });
});

it("an event that the table does not have is refused, and a rule that names no targets", async () => {
  const { cache, rows } = shop();
  const rules = cache.rules<Record<string, unknown>>({ one: (() => rows.all()) as never, none: (() => {}) as never });
  const refused = { other: "event", constructor: "event", toString: "event", one: "targets", none: "targets" };
  for (const [name, argument] of Object.entries(refused)) {
    expect(await rejection(rules.emit(name, {}))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
  }
  expect(await rejection(cache.invalidate(rows.all() as never))).toMatchObject({ argument: "targets" });
});

describe("a flush by text", () => {
  it("is aligned with words, and knows prefixes, longer ones and first segments", async () => {
    const here = shop();
    const load = (): number => here.version;
    const made = {
      feed: here.cache.scope("feed:search", {
        prefix: "v1:feed:search",
        under: "v1:feed",
        key: paramsKey<object>(),
        ttl: "1m",
        load,
      }),
      mine: here.cache.scope("feed:mine", {
        prefix: "v1:feed:mine",
        under: "v1:feed",
        key: paramsKey<object>(),
        ttl: "1m",
        load,
      }),
      back: here.cache.scope("feedback", { prefix: "v1:feedback", key: paramsKey<object>(), ttl: "1m", load }),
      days: here.cache.scope("availability", {
        prefix: "availability",
        key: pathKey<[number, string]>(),
        ttl: "1m",
        load,
      }),
    };
    const all = () =>
      Promise.all([
        made.feed.get({}),
        made.mine.get({}),
        made.back.get({}),
        made.days.get([42, "2026-01-31"]),
        made.days.get([42, "2026-02-01"]),
        made.days.get([421, "2026-01-31"]),
      ]);
    expect(await all()).toEqual([1, 1, 1, 1, 1, 1]);
    here.version = 2;
    await here.cache.flush("v1:feed:");
    expect(await all()).toEqual([2, 2, 1, 1, 1, 1]);
    here.version = 3;
    await here.cache.flush("v1:feed:mine:*");
    expect(await all()).toEqual([2, 3, 1, 1, 1, 1]);
    here.version = 4;
    await here.cache.flush("availability:42:*");
    expect(await all()).toEqual([2, 3, 1, 4, 4, 1]);
    here.version = 5;
    await here.cache.flush("availability");
    expect(await all()).toEqual([2, 3, 1, 5, 5, 5]);
    // A parameter is no word: its keys are not segments, and nothing would be found by it.
    const wrong = [
      "v1:fee",
      "v1:fee:",
      "v1:feed*",
      "*",
      "",
      "other:",
      "availability:42:2026-01-31:",
      "v1:feedback:city",
    ];
    for (const text of [...wrong, "v1:feed:mine:city:", undefined, null, 5, {}]) {
      const refusal = { code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "prefix" };
      expect(await rejection(here.cache.flush(text as string))).toMatchObject(refusal);
    }
  });

  it("ends the key that is just the segment, too, and none that only begins like it", async () => {
    const here = shop();
    const parts = here.cache.scope<readonly string[], number>("part", {
      prefix: "row:part",
      under: "row",
      key: pathKey<readonly string[]>(),
      ttl: "1m",
      load: () => here.version,
    });
    const all = async () => [
      ...(await here.rows.getMany(["a", "ab"])).map(({ version }) => version),
      ...(await parts.getMany([["a"], ["a", "b"], ["ab"]])),
    ];
    expect(await all()).toEqual([1, 1, 1, 1, 1]);
    here.version = 2;
    await here.cache.flush("row:a");
    // What is under the prefix by more words shares first segments with it.
    expect(await all()).toEqual([2, 1, 1, 2, 1]);
    here.version = 3;
    await here.cache.flush("row:part:a:");
    expect(await all()).toEqual([2, 1, 3, 3, 1]);
  });
});
