import { createCache, paramsKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { systemRandom } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { describeNeeding, service } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { sluice } from "./session.ts";

const redis = () => connectRedis({ url: service("redis").url });
let connection: ReturnType<typeof redis>;
beforeAll(() => void (connection = redis()));
afterAll(() => connection.close());

const told = (line: string) => sluice(`cache ${line}`, { CACHE_REDIS_URL: service("redis").url });

/** A cache of another process: it shares nothing with the program but Redis. */
function feedCache() {
  const prefix = `cli-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
  const cache = createCache({ store: redisStore(connection, { deadlineMs: 5000 }) });
  onTestFinished(() => cache.close());
  const state = { loads: 0 };
  const feed = cache.scope<{ city: string }, number>("feed", {
    prefix: `v1:${prefix}`,
    key: paramsKey(),
    ttl: "1h",
    load: () => (state.loads += 1),
  });
  return { feed, prefix, state };
}

describe("sluice cache flush", () => {
  it("ends what other processes have stored, at once", async () => {
    const { feed, prefix, state } = feedCache();
    await feed.get({ city: "Paris" });
    const { code, out } = await told(`flush v1:${prefix}:`);
    expect(out).toBe(`${prefix}: nothing that was stored is served any more.\n  sl:{${prefix}}:g`);
    expect(code).toBe(0);
    await feed.get({ city: "Paris" });
    expect(state.loads).toBe(2);
  });

  it("exits with 1 where no cache has kept anything, unless it is forced", async () => {
    const { prefix } = feedCache();
    const missed = await told(`flush ${prefix} --json`);
    expect(missed.code).toBe(1);
    expect(JSON.parse(missed.out)).toEqual({ prefix, known: false, generations: [] });
    expect((await told(`flush ${prefix}`)).out).toContain("so nothing was done");
    expect((await told(`flush ${prefix} --force`)).code).toBe(0);
  });

  it("flushes one scope, and lets the old be served while it is reloaded", async () => {
    const { feed, prefix } = feedCache();
    await feed.get({ city: "Paris" });
    expect((await told(`flush ${prefix} --scope feed --max-stale 1m`)).out).toContain("longer than 60000 ms");
    expect((await told(`inspect v1:${prefix}:city=Paris`)).out).toContain("stale");
    expect((await told(`flush ${prefix} --scope other`)).code).toBe(1);
  });
});

describe("sluice cache inspect", () => {
  it("shows a record without its value, and what became of it", async () => {
    const { feed, prefix } = feedCache();
    const key = `v1:${prefix}:city=Paris`;
    expect((await told(`inspect ${key}`)).out).toBe(`${key}\n  nothing is stored`);
    await feed.get({ city: "Paris" });
    const { out } = await told(`inspect ${key}`);
    expect(out).toMatch(/fresh for \d+ ms; stored \d+ ms ago, kept for \d+ ms/);
    expect(out).toContain("scope feed, of city=Paris");
    await told(`flush ${prefix}`);
    expect(JSON.parse((await told(`inspect ${key} --json`)).out)).toMatchObject({ kind: "record", state: "ended" });
  });
});

// The stand-in's SCAN knows no types.
describeNeeding({ redis: "real" }, "sluice cache stats and reclaim", () => {
  it("count what a flush has ended, and free its memory", async () => {
    const { feed, prefix } = feedCache();
    for (const city of ["Paris", "Lagos", "Quito"]) await feed.get({ city });
    await told(`flush ${prefix}`);
    await feed.get({ city: "Quito" });
    const { out } = await told(`stats v1:${prefix}: --pace 1000000`);
    expect(out).toMatch(new RegExp(`^${prefix}\n  feed: 1 fresh, 0 stale, 2 ended, \\d+ bytes$`));
    const reclaimed = await told(`reclaim v1:${prefix}: --pace 1000000`);
    expect(reclaimed.out).toMatch(new RegExp(`^${prefix}: 2 of 3 records removed, \\d+ bytes.$`));
    const counted = JSON.parse((await told(`stats ${prefix} --pace 1000000 --json`)).out) as unknown;
    expect(counted).toMatchObject({ scopes: [{ scope: "feed", fresh: 1, ended: 0 }] });
  });
});
