import { describe, expect, it } from "vitest";

import { gate, heard, rejection, shop, type Row } from "./support/shop.ts";

describe("a read", () => {
  it("loads once, and then returns what is stored until its time is over", async () => {
    const here = shop();
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    here.version = 2;
    await here.clock.advance(59_999);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(here.loads).toBe(1);
    await here.clock.advance(1);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(here.cache.stats()[0]).toMatchObject({ reads: { miss: 2, hit: 1 }, loads: 2, hitRatio: 1 / 3 });
  });

  it("shortens the lifetime by chance, and never lengthens it", async () => {
    const here = shop({ scope: { jitter: 0.5 } });
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    await here.rows.getMany(keys);
    await here.clock.advance(29_999);
    await here.rows.getMany(keys);
    expect(here.loads).toBe(200);
    await here.clock.advance(15_000);
    await here.rows.getMany(keys);
    expect(here.loads).toBeGreaterThan(240);
    expect(here.loads).toBeLessThan(360);
    here.loads = 0;
    await here.clock.advance(60_000);
    await here.rows.getMany(keys);
    expect(here.loads).toBe(200);
  });

  it("shares one load among all who ask while it runs", async () => {
    const here = shop();
    const row = gate<Row>();
    here.instead = () => row.passed;
    const reads = Array.from({ length: 50 }, () => here.rows.get("a"));
    await here.clock.advance(0);
    const late = Array.from({ length: 50 }, () => here.rows.get("a"));
    await here.clock.advance(0);
    row.open({ id: "a", version: 7 });
    const values = await Promise.all([...reads, ...late]);
    expect(new Set(values.map(({ version }) => version))).toEqual(new Set([7]));
    expect(here.loads).toBe(1);
    expect(here.rows.stats().reads).toMatchObject({ miss: 1, coalesced: 99 });
  });

  it("rejects for all who share a load that throws, and loads again for the next", async () => {
    const here = shop();
    here.instead = () => Promise.reject(new Error("the database is away"));
    const errors = await Promise.all(Array.from({ length: 20 }, () => rejection(here.rows.get("a"))));
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]?.message).toBe("the database is away");
    expect(here.loads).toBe(1);
    here.instead = undefined;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(here.rows.stats()).toMatchObject({ loads: 2, loadErrors: 1, reads: { failed: 20 } });
  });

  it("ends a load that hangs after loadTimeout, aborting its signal", async () => {
    const here = shop({ scope: { loadTimeout: "3s" } });
    let signal: AbortSignal | undefined;
    const read = rejection(
      here.rows.get("a", {
        load: (context) => {
          ({ signal } = context);
          return new Promise<never>(() => {});
        },
      }),
    );
    await here.clock.advance(2999);
    expect(signal?.aborted).toBe(false);
    await here.clock.advance(1);
    expect(await read).toMatchObject({ code: "ERR_SLUICE_CACHE_LOAD_TIMEOUT", scope: "row", timeoutMs: 3000 });
    expect(signal?.aborted).toBe(true);
    // The lease went with it: the next load need not wait.
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
  });

  it("lets a caller go whose signal aborts, and keeps the load for the others", async () => {
    const here = shop();
    const row = gate<Row>();
    here.instead = () => row.passed;
    const leaving = new AbortController();
    const [left, stayed] = [here.rows.get("a", { signal: leaving.signal }), here.rows.get("a")];
    await here.clock.advance(0);
    leaving.abort(new Error("gone"));
    expect((await rejection(left)).message).toBe("gone");
    expect((await rejection(here.rows.get("a", { signal: leaving.signal }))).message).toBe("gone");
    row.open({ id: "a", version: 3 });
    expect(await stayed).toEqual({ id: "a", version: 3 });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 3 });
    expect(here.loads).toBe(1);
  });

  it("loads and stores anew on demand", async () => {
    const here = shop();
    await here.rows.get("a");
    here.version = 2;
    expect(await here.rows.get("a", { fresh: true })).toEqual({ id: "a", version: 2 });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(here.loads).toBe(2);
  });

  it("of many keys keeps their order and loads what is missing", async () => {
    const here = shop();
    await here.rows.get("b");
    const rows = await here.rows.getMany(["c", "b", "a", "b"]);
    expect(rows.map(({ id }) => id)).toEqual(["c", "b", "a", "b"]);
    expect(here.loads).toBe(3);
    expect(await here.rows.getMany([])).toEqual([]);
  });

  it("says so when it has nothing to load with", async () => {
    const here = shop({ scope: { load: undefined as never } });
    const error = await rejection(here.rows.get("a"));
    expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "load" });
    expect(await here.rows.get("a", { load: () => ({ id: "a", version: 9 }) })).toMatchObject({ version: 9 });
  });

  it("is refused once the cache is closed", async () => {
    const here = shop();
    await here.cache.close();
    expect(await rejection(here.rows.get("a"))).toMatchObject({ code: "ERR_SLUICE_CACHE_CLOSED" });
    expect(await rejection(here.cache.invalidate([here.rows.all()]))).toMatchObject({
      code: "ERR_SLUICE_CACHE_CLOSED",
    });
    await here.cache.close();
  });
});

/** A read whose load returns what a row cannot be. */
function answer(value: unknown): { load: () => Row } {
  return { load: () => value as Row };
}

describe("what a load may say", () => {
  it("null is kept for negativeTtl, undefined is not stored", async () => {
    const here = shop({ scope: { negativeTtl: "5s" } });
    expect(await here.rows.get("a", answer(null))).toBeNull();
    await here.clock.advance(4999);
    expect(await here.rows.get("a", answer({ id: "a", version: 2 }))).toBeNull();
    await here.clock.advance(1);
    expect(await here.rows.get("a", answer(undefined))).toBeUndefined();
    expect(await here.rows.get("a", answer({ id: "a", version: 3 }))).toEqual({ id: "a", version: 3 });
    expect(here.rows.stats().storesSkipped.undefined).toBe(1);
  });

  it("how long its result lives, and that it is not to be stored", async () => {
    const here = shop();
    await here.rows.get("a", { load: ({ ttl }) => (ttl("1s"), { id: "a", version: 1 }) });
    await here.clock.advance(1000);
    expect(await here.rows.get("a", { load: ({ skip }) => (skip(), { id: "a", version: 2 }) })).toMatchObject({
      version: 2,
    });
    here.version = 3;
    expect(await here.rows.get("a")).toMatchObject({ version: 3 });
    expect(here.rows.stats().storesSkipped["ttl-0"]).toBe(1);
  });

  it("with a lifetime of 0 nothing is stored, and loads are shared all the same", async () => {
    const here = shop({ scope: { ttl: 0 } });
    const row = gate<Row>();
    here.instead = () => row.passed;
    const reads = [here.rows.get("a"), here.rows.get("a")];
    await here.clock.advance(0);
    reads.push(here.rows.get("a"));
    await here.clock.advance(0);
    row.open({ id: "a", version: 1 });
    await Promise.all(reads);
    expect(here.loads).toBe(1);
    here.instead = undefined;
    await here.rows.get("a");
    expect(here.loads).toBe(2);
  });
});

describe("a cold cache", () => {
  it("runs maxLoads loads at a time, and refuses beyond maxWaiting", async () => {
    const here = shop({ scope: { maxLoads: 3, maxWaiting: 5 } });
    const waiting: (() => void)[] = [];
    let most = 0;
    let running = 0;
    here.instead = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running -= 1;
      return { id: "x", version: 1 };
    };
    const reads = Array.from({ length: 8 }, (_, index) => here.rows.get(`key-${index}`));
    expect(await rejection(here.rows.get("one too many"))).toMatchObject({
      code: "ERR_SLUICE_CACHE_OVERLOADED",
      waiting: 5,
    });
    for (let end = waiting.shift(); end; end = waiting.shift()) {
      end();
      await here.clock.advance(0);
    }
    await Promise.all(reads);
    expect([most, here.loads]).toEqual([3, 8]);
  });
});

describe("counting", () => {
  it("tells when reads are answered by the cache less often than they should be, and when that is over", async () => {
    const events = heard();
    const here = shop({ cache: { health: { minHitRatio: 0.85, minReads: 100 } } });
    const names = (): string[] => events.map(({ type }) => type).filter((type) => type.startsWith("hit-ratio"));
    for (let index = 0; index < 100; index += 1) await here.rows.get(`key-${index}`);
    expect(here.cache.health()).toEqual([{ scope: "row", healthy: false, hitRatio: 0, reads: 100 }]);
    await here.clock.advance(30_000);
    await here.rows.get("key-0");
    expect(names()).toEqual(["hit-ratio-low"]);
    expect(events).toContainEqual({ type: "hit-ratio-low", scope: "row", ratio: 1 / 101, reads: 101 });
    for (let index = 0; index < 2000; index += 1) await here.rows.get("key-0");
    await here.clock.advance(30_000);
    await here.rows.get("key-0");
    expect(names()).toEqual(["hit-ratio-low", "hit-ratio-recovered"]);
    await here.clock.advance(600_000);
    expect(here.cache.health()).toEqual([{ scope: "row", healthy: true, hitRatio: 1, reads: 0 }]);
  });
});
