import { seededRandom } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { isDueEarly } from "../src/lifetime.ts";
import { gate, heard, rejection, shop, type Row } from "./support/shop.ts";

const broken = (): Promise<Row> => Promise.reject(new Error("the database is away"));

describe("a value past its time", () => {
  it("is served while it is reloaded, once for all", async () => {
    const here = shop({ scope: { stale: { whileRevalidate: "30s" } } });
    await here.rows.get("a");
    here.version = 2;
    await here.clock.advance(60_000);
    const row = gate<Row>();
    here.instead = () => row.passed;
    for (let read = 0; read < 5; read += 1) expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(here.loads).toBe(2);
    row.open({ id: "a", version: 2 });
    await here.clock.advance(0);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(here.rows.stats().reads).toMatchObject({ miss: 1, stale: 5, hit: 1 });
    await here.clock.advance(90_001);
    here.instead = undefined;
    here.version = 3;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 3 });
  });

  it("does not hold up who closes the cache, when its reload hangs", async () => {
    const here = shop({ scope: { stale: { whileRevalidate: "30s" } } });
    await here.rows.get("a");
    await here.clock.advance(60_000);
    let signal: AbortSignal | undefined;
    here.rows
      .get("a", {
        load: (context) => {
          ({ signal } = context);
          return new Promise<Row>(() => {});
        },
      })
      .catch(() => {});
    await here.clock.advance(0);
    expect(signal?.aborted).toBe(false);
    await Promise.all([here.cache.close(), here.clock.advance(30_000)]);
    expect(signal?.reason).toMatchObject({ code: "ERR_SLUICE_CACHE_CLOSED" });
  });

  it("is served when its load fails, and not loaded again for a second", async () => {
    const events = heard();
    const here = shop({ scope: { stale: { onError: "10m" } } });
    await here.rows.get("a");
    await here.clock.advance(60_000);
    here.instead = broken;
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(here.loads).toBe(2);
    expect(events).toContainEqual(expect.objectContaining({ type: "refresh-failed", scope: "row" }));
    await here.clock.advance(1000);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    expect(here.loads).toBe(3);
    await here.clock.advance(600_000);
    expect((await rejection(here.rows.get("a"))).message).toBe("the database is away");
  });

  it("is never served once it was invalidated, whatever fails", async () => {
    const here = shop({ scope: { stale: { onError: "10m", whileRevalidate: "10m" } } });
    for (const target of [() => here.rows.entry("a"), () => here.rows.all(), () => here.cache.prefix("row")]) {
      here.instead = undefined;
      await here.rows.get("a");
      await here.clock.advance(60_000);
      await here.cache.invalidate([target()]);
      here.instead = broken;
      expect((await rejection(here.rows.get("a"))).message).toBe("the database is away");
    }
  });

  it("stands in for a load that takes longer than softTimeout, which goes on", async () => {
    const here = shop({ scope: { stale: { onError: "10m" }, softTimeout: "100ms" } });
    await here.rows.get("a");
    await here.clock.advance(60_000);
    const row = gate<Row>();
    here.instead = () => row.passed;
    const read = here.rows.get("a");
    await here.clock.advance(100);
    expect(await read).toEqual({ id: "a", version: 1 });
    row.open({ id: "a", version: 2 });
    await here.clock.advance(0);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    expect(here.loads).toBe(2);
  });

  it("reaches the load that replaces it", async () => {
    const here = shop({ scope: { stale: { onError: "10m" } } });
    await here.rows.get("a");
    await here.clock.advance(60_000);
    const seen: unknown[] = [];
    await here.rows.get("a", { load: ({ stale }) => (seen.push(stale), { id: "a", version: 2 }) });
    await here.rows.get("b", { load: ({ stale }) => (seen.push(stale), { id: "b", version: 1 }) });
    expect(seen).toEqual([{ id: "a", version: 1 }, undefined]);
  });

  it("is reloaded by one reader shortly before its end", async () => {
    const here = shop({ scope: { early: 1, ttl: "10s" } });
    here.instead = async () => {
      const version = (here.version += 1);
      await here.clock.advance(0);
      return { id: "a", version };
    };
    const slow = here.rows.get("a", {
      load: async () => {
        await new Promise<void>((resolve) => here.clock.schedule(2000, resolve));
        return { id: "a", version: 1 };
      },
    });
    await here.clock.advance(2000);
    await slow;
    here.instead = undefined;
    await here.clock.advance(9_900);
    // So near the end, a reader in twenty lets it be.
    for (let read = 0; read < 20; read += 1) expect((await here.rows.get("a")).version).toBe(1);
    await here.clock.advance(0);
    expect(here.loads).toBe(1);
  });

  it("is reloaded early with the chance e^(-left / (beta x load time))", () => {
    const random = seededRandom(testSeed());
    for (const [leftMs, beta] of [
      [100, 1],
      [200, 1],
      [50, 1],
      [100, 2],
      [0, 1],
    ] as const) {
      let early = 0;
      for (let read = 0; read < 20_000; read += 1) early += isDueEarly({ leftMs, loadMs: 100, beta, random }) ? 1 : 0;
      expect(early / 20_000).toBeCloseTo(Math.exp(-leftMs / (beta * 100)), 1);
    }
    expect(isDueEarly({ leftMs: 0, loadMs: 100, beta: 0, random })).toBe(false);
  });
});

describe("a soft flush", () => {
  it("lets what was there be served while one load per key replaces it, for its time", async () => {
    const here = shop();
    await here.rows.getMany(["a", "b"]);
    here.version = 2;
    expect(await here.cache.flush("row:", { maxStale: "5s" })).toEqual({ applied: 1, queued: 0 });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 1 });
    await here.clock.advance(0);
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    await here.clock.advance(5001);
    expect(await here.rows.get("b")).toEqual({ id: "b", version: 2 });
    expect(here.loads).toBe(4);
  });

  it("serves nothing that an earlier flush has ended", async () => {
    const here = shop();
    await here.rows.get("a");
    here.version = 2;
    await here.cache.flush("row:", { maxStale: "5s" });
    await here.cache.flush("row:", { maxStale: "1h" });
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
    here.version = 3;
    await here.cache.flush("row:", { maxStale: "1h" });
    await here.cache.flush("row:");
    expect(await here.rows.get("a")).toEqual({ id: "a", version: 3 });
  });
});
