import { createFakeClock, type FakeClock } from "@sluice/testing";
import { describe, expect, it, onTestFinished } from "vitest";

import { createCache, memoryStore, pathKey, type Cache, type CacheOptions, type CacheStore } from "../src/index.ts";
import { gate, rejection } from "./support/shop.ts";

function fresh(options: CacheOptions = {}): { clock: FakeClock; cache: Cache } {
  const clock = createFakeClock();
  const cache = createCache({ clock, ...options });
  onTestFinished(() => cache.close());
  return { clock, cache };
}

/** A store that cannot be asked. */
function away(): CacheStore {
  return Object.assign(Object.create(memoryStore()) as CacheStore, {
    read: () => Promise.reject(new Error("away")),
    now: () => 0,
    [Symbol.asyncDispose]: async () => {},
  });
}

/** The outcome, once as much time has passed as a load may take. */
async function within30s<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const [outcome] = await Promise.all([work, clock.advance(30_000)]);
  return outcome;
}

const tree = { prefix: "tree", key: pathKey<string>(), ttl: "1m" } as const;

/** Nodes whose loads read the nodes below them. */
function nodes(cache: Cache, below: Readonly<Record<string, readonly string[]>>, maxLoads: number) {
  let running = 0;
  const counted = { loads: 0, most: 0 };
  const scope = cache.scope<string, number>("tree", {
    ...tree,
    maxLoads,
    load: async (id): Promise<number> => {
      counted.loads += 1;
      counted.most = Math.max(counted.most, (running += 1));
      const sizes = await scope.getMany(below[id] ?? []);
      running -= 1;
      return 1 + sizes.reduce((sum, size) => sum + size, 0);
    },
  });
  return { scope, counted };
}

describe("a load that reads other values of its scope", () => {
  it("does not wait for a place that it has itself", async () => {
    const { cache, clock } = fresh();
    const { scope, counted } = nodes(cache, { root: ["a", "b", "a"], a: ["aa", "b"], b: ["bb"] }, 1);
    expect(await within30s(clock, scope.get("root"))).toBe(11);
    expect(counted.loads).toBe(5);
  });

  // A parent that has the one place, and others who ask for its child before it does.
  const crowds: Readonly<Record<string, { store?: CacheStore; together?: boolean }>> = {
    "loads that wait longer": {},
    "a read that begins in the same turn": { together: true },
    "loads without the store": { store: away() },
  };
  for (const [title, { store, together = false }] of Object.entries(crowds)) {
    it(`lets what it waits for begin, in spite of ${title}`, async () => {
      const { cache, clock } = fresh(store ? { store } : {});
      const first = gate<void>();
      const scope = cache.scope<string, string>("tree", {
        ...tree,
        maxLoads: 1,
        load: async (id): Promise<string> => {
          if (id !== "parent") return id;
          await first.passed;
          return `parent of ${await scope.get("child")}`;
        },
      });
      const both = async (): Promise<string[]> => Promise.all([scope.get("other"), scope.get("child")]);
      const early = together ? first.passed.then(both) : undefined;
      const parent = scope.get("parent");
      await clock.advance(0);
      const others = early ?? both();
      await clock.advance(0);
      first.open();
      expect(await within30s(clock, parent)).toBe("parent of child");
      expect(await others).toEqual(["other", "child"]);
    });
  }

  it("takes no place from others when it has ended, and what it has left behind gets none for nothing", async () => {
    const { cache, clock } = fresh();
    const left = gate<void>();
    const { open: end, passed: ended } = gate<void>();
    let most = 0;
    let running = 0;
    const scope = cache.scope<string, string>("tree", {
      ...tree,
      maxLoads: 1,
      load: async (id): Promise<string> => {
        if (id === "parent") {
          void left.passed.then(async () => Promise.all([scope.get("x"), scope.get("y")]));
          return id;
        }
        most = Math.max(most, (running += 1));
        await ended;
        running -= 1;
        return id;
      },
    });
    await scope.get("parent");
    left.open();
    await clock.advance(0);
    end();
    await clock.advance(0);
    expect(await scope.getMany(["x", "y"])).toEqual(["x", "y"]);
    expect(most).toBe(1);
  });

  it("gives what it has left behind no place after its time was over", async () => {
    const { cache, clock } = fresh();
    const hung = gate<void>();
    const never = gate<string>();
    const scope = cache.scope<string, string>("tree", {
      ...tree,
      maxLoads: 1,
      loadTimeout: "1s",
      load: async (id): Promise<string> => {
        if (id === "hangs") {
          await hung.passed;
          await scope.get("late");
        }
        return id;
      },
    });
    const hangs = rejection(scope.get("hangs"));
    await clock.advance(1000);
    expect(await hangs).toMatchObject({ code: "ERR_SLUICE_CACHE_LOAD_TIMEOUT" });
    let holds = 0;
    const holding = scope.get("next", {
      load: async () => {
        holds += 1;
        return never.passed;
      },
    });
    holding.catch(() => {});
    await clock.advance(0);
    hung.open();
    await clock.advance(0);
    expect([holds, scope.stats().loads]).toEqual([1, 2]);
  });

  it("is told when it asks for what it is to load, at once", async () => {
    const { cache, clock } = fresh();
    const { scope } = nodes(cache, { a: ["b"], b: ["c"], c: ["a"], self: ["self"] }, 32);
    const circle = { code: "ERR_SLUICE_CACHE_LOAD_CYCLE", scope: "tree" };
    expect(await within30s(clock, rejection(scope.get("self")))).toMatchObject(circle);
    expect(await within30s(clock, rejection(scope.get("a")))).toMatchObject(circle);
  });

  it("is told so, too, when the store does not answer or the cache is switched off", async () => {
    for (const options of [{ store: away() }, { enabled: () => false }]) {
      const { cache } = fresh(options);
      const { scope, counted } = nodes(cache, { self: ["self"], root: ["a", "a"] }, 1);
      expect(await rejection(scope.get("self"))).toMatchObject({ code: "ERR_SLUICE_CACHE_LOAD_CYCLE" });
      expect(counted.loads).toBeLessThanOrEqual(100);
      expect(await scope.get("root")).toBe(3);
    }
  });

  it("gets what is past its time, where that may be served, in place of itself", async () => {
    const { cache, clock } = fresh();
    let generation = 0;
    const scope = cache.scope<string, string>("tree", {
      ...tree,
      stale: { onError: "10m" },
      load: async (id): Promise<string> => {
        generation += 1;
        return generation === 1 ? "first" : `after ${await scope.get(id)}`;
      },
    });
    await scope.get("a");
    await clock.advance(60_000);
    expect(await scope.get("a")).toBe("after first");
  });
});

describe("loads of two scopes", () => {
  it("that read each other do not wait for their own places", async () => {
    const { cache } = fresh();
    const page = cache.scope<number, string>("page", {
      prefix: "page",
      key: pathKey<number>(),
      ttl: "1m",
      maxLoads: 1,
      load: async (id): Promise<string> => (id === 1 ? `page of ${await part.get(1)}` : "leaf"),
    });
    const part = cache.scope<number, string>("part", {
      prefix: "part",
      key: pathKey<number>(),
      ttl: "1m",
      maxLoads: 1,
      load: async () => `part of ${await page.get(2)}`,
    });
    expect(await page.get(1)).toBe("page of part of leaf");
  });

  it("keep within their bounds where one reads the other", async () => {
    const { cache } = fresh();
    let most = 0;
    let running = 0;
    const part = cache.scope<number, number>("part", {
      prefix: "part",
      key: pathKey<number>(),
      ttl: "1m",
      maxLoads: 2,
      load: async (id) => {
        most = Math.max(most, (running += 1));
        await Promise.resolve();
        running -= 1;
        return id;
      },
    });
    const page = cache.scope<number, readonly number[]>("page", {
      prefix: "page",
      key: pathKey<number>(),
      ttl: "1m",
      load: async (id) => part.getMany([id, id + 1, id + 2, id + 3]),
    });
    expect(await page.getMany([0, 10, 20])).toEqual([0, 10, 20].map((id) => [id, id + 1, id + 2, id + 3]));
    expect(most).toBe(2);
  });
});
