import { systemClock, systemRandom, type Clock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { describeNeeding, service } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createCache, paramsKey, pathKey } from "../src/index.ts";
import { cacheOperations, redisStore } from "../src/redis/index.ts";

const deadlineMs = 5000;
const redis = connectRedis({ url: service("redis").url, deadlineMs });
const operations = cacheOperations(redis, { deadlineMs });
let admin: Ioredis;
beforeAll(() => void (admin = new Ioredis(service("redis").url)));
afterAll(async () => {
  admin.disconnect();
  await redis.close();
});

function freshPrefix(): string {
  return `ops-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
}

/** A cache of another process, and how often it loaded. */
function otherCache(prefix = freshPrefix()) {
  const cache = createCache({ store: redisStore(redis, { deadlineMs }) });
  onTestFinished(() => cache.close());
  const loads = { list: 0, days: 0 };
  const list = cache.scope<{ city: string }, number>("list", {
    prefix: `v1:${prefix}`,
    key: paramsKey(),
    ttl: "1h",
    load: () => (loads.list += 1),
  });
  const days = cache.scope<[string, string], number>("days", {
    prefix: `${prefix}-days`,
    key: pathKey(),
    ttl: "1h",
    load: () => (loads.days += 1),
  });
  return { cache, list, days, loads, prefix };
}

describe("an operator's flush", () => {
  it("ends what other processes have stored, and nothing beside it", async () => {
    const { list, days, loads, prefix } = otherCache();
    await list.get({ city: "Paris" });
    await days.get(["42", "mon"]);
    expect(await operations.flush(`v1:${prefix}:`)).toEqual({
      prefix,
      known: true,
      generations: [`sl:{${prefix}}:g`],
    });
    await list.get({ city: "Paris" });
    await days.get(["42", "mon"]);
    expect(loads).toEqual({ list: 2, days: 1 });
  });

  it("ends what shares a first segment, and one scope alone", async () => {
    const { list, days, loads, prefix } = otherCache();
    await list.get({ city: "Paris" });
    for (const id of ["42", "43"]) await days.get([id, "mon"]);
    expect(await operations.flush(`${prefix}-days:42:`)).toMatchObject({ known: true });
    for (const id of ["42", "43"]) await days.get([id, "mon"]);
    expect(loads.days).toBe(3);
    await operations.flush(prefix, { scope: "list" });
    await list.get({ city: "Paris" });
    expect(loads).toEqual({ list: 2, days: 3 });
  });

  it("ends a scope that is called like its prefix with it, as the scope itself does", async () => {
    const { cache, prefix } = otherCache();
    const named = cache.scope<string, string>(prefix, { prefix, key: pathKey(), ttl: "1h", load: (id) => id });
    await named.get("a");
    expect((await operations.flush(prefix, { scope: prefix })).generations).toEqual(named.all().generations);
  });

  it("does nothing where no cache has kept anything, unless it is forced", async () => {
    const prefix = freshPrefix();
    expect(await operations.flush(prefix)).toEqual({ prefix, known: false, generations: [] });
    expect(await admin.keys(`*${prefix}*`)).toEqual([]);
    expect((await operations.flush(prefix, { force: true })).generations).toEqual([`sl:{${prefix}}:g`]);
  });

  it("is heard by copies in other processes", async () => {
    const prefix = freshPrefix();
    const cache = createCache({ store: redisStore(redis, { deadlineMs }), l1: { maxEntries: 10 } });
    onTestFinished(() => cache.close());
    await cache.ready();
    const scope = cache.scope<string, string>("copied", { prefix, key: pathKey(), ttl: "1h", load: (id) => id });
    await scope.get("a");
    await scope.get("a");
    expect(scope.peek("a")).toBe("a");
    await operations.flush(prefix);
    await expect.poll(() => scope.peek("a")).toBeUndefined();
  });

  it("does not shorten how long generations are kept", async () => {
    const { list, prefix } = otherCache();
    await list.get({ city: "Paris" });
    const tenDaysMs = 864_000_000;
    await admin.pexpire(`sl:{${prefix}}:g`, tenDaysMs);
    await operations.flush(prefix);
    expect(await admin.pttl(`sl:{${prefix}}:g`)).toBeGreaterThan(tenDaysMs - 60_000);
  });

  it.each(["", "a b", "feed:*:x", "{feed}", ":feed", "feed::x"])(
    "refuses a prefix that is none: %j",
    async (prefix) => {
      const refusal = operations.flush(prefix, { force: true });
      await expect(refusal).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
    },
  );
});

describe("a look at a key", () => {
  it("tells of a record what it is, and whether it can be read", async () => {
    const { list, prefix } = otherCache();
    await list.get({ city: "Paris" });
    const key = `v1:${prefix}:city=Paris`;
    expect(await operations.inspect(key)).toMatchObject({
      kind: "record",
      state: "fresh",
      scope: "list",
      of: "city=Paris",
      packing: "plain",
      negative: false,
      loading: false,
    });
    await operations.flush(prefix, { maxStale: "1m" });
    expect(await operations.inspect(key)).toMatchObject({ state: "stale" });
    await operations.flush(prefix, { scope: "list" });
    expect(await operations.inspect(key)).toMatchObject({ state: "ended" });
  });

  it("tells an absent key, another's key, and damaged bytes from a record", async () => {
    const prefix = freshPrefix();
    await admin.hset(`${prefix}:hash`, "a", "b");
    await admin.set(`${prefix}:text`, "SL but no record");
    onTestFinished(async () => void (await admin.del(`${prefix}:hash`, `${prefix}:text`)));
    expect(await operations.inspect(`${prefix}:none`)).toMatchObject({ kind: "absent" });
    expect(await operations.inspect(`${prefix}:hash`)).toMatchObject({ kind: "foreign" });
    expect(await operations.inspect(`${prefix}:text`)).toMatchObject({ kind: "foreign" });
  });
});

// The stand-in's SCAN knows no types.
describeNeeding({ redis: "real" }, "a walk through a prefix", () => {
  it("counts what can be read, what is past its time and what has ended, by scope", async () => {
    const { list, prefix } = otherCache();
    await list.get({ city: "Paris" });
    await operations.flush(prefix);
    await list.get({ city: "Lagos" });
    await admin.set(`${prefix}:other`, "not a record");
    const { scopes, foreign } = await operations.stats(prefix, { keysPerSecond: 1_000_000 });
    expect(scopes).toMatchObject([{ scope: "list", fresh: 1, stale: 0, ended: 1 }]);
    expect(foreign).toBe(1);
  });

  it("reclaims what nobody can read, of all versions, and leaves the rest", async () => {
    const { list, prefix } = otherCache();
    const next = otherCache(prefix);
    for (let city = 0; city < 300; city += 1) await list.get({ city: `city-${city}` });
    await operations.flush(prefix);
    await next.list.get({ city: "Lagos" });
    await admin.set(`v2:${prefix}:other`, "not a record");
    const dead = await admin.getBuffer(`v1:${prefix}:city=city-0`);
    await admin.set(`v2:${prefix}:city=city-0`, dead ?? "");
    const reclaimed = await operations.reclaim(`v1:${prefix}:`, { keysPerSecond: 1_000_000 });
    expect(reclaimed).toMatchObject({ prefix, seen: 302, removed: 301 });
    expect(reclaimed.bytes).toBeGreaterThan(301 * 50);
    expect((await admin.keys(`*${prefix}*`)).toSorted()).toEqual(
      [`sl:{${prefix}}:g`, `sl:{${prefix}}:s:list`, `v1:${prefix}:city=Lagos`, `v2:${prefix}:other`].toSorted(),
    );
    expect(await next.list.get({ city: "Lagos" })).toBe(1);
  });

  it("leaves a record that stands on a longer prefix of its own", async () => {
    const { list, prefix } = otherCache();
    const longer = otherCache(`${prefix}:part`);
    await list.get({ city: "Paris" });
    await longer.days.get(["42", "mon"]);
    await longer.list.get({ city: "Paris" });
    await operations.flush(prefix);
    expect(await operations.reclaim(prefix, { keysPerSecond: 1_000_000 })).toMatchObject({ removed: 1 });
    await longer.list.get({ city: "Paris" });
    expect(longer.loads.list).toBe(1);
  });

  it("keeps a record that was stored between the look and the removal", async () => {
    const { list, loads, prefix } = otherCache();
    await list.get({ city: "Paris" });
    await operations.flush(prefix);
    // The generations are read after the records: what is loaded there is newer than what was seen.
    const racing = cacheOperations(
      {
        ...redis,
        async read(command, args, options) {
          if (command === "MGET") await list.get({ city: "Paris" });
          return redis.read(command, args, options);
        },
      },
      { deadlineMs },
    );
    expect(await racing.reclaim(prefix, { keysPerSecond: 1_000_000 })).toMatchObject({ removed: 0 });
    await list.get({ city: "Paris" });
    expect(loads.list).toBe(2);
  });

  it("judges a record whose parameters are long", async () => {
    const { cache, prefix } = otherCache();
    const long = { keyOf: (id: string) => ({ text: id, identity: id.repeat(3000) }) };
    const scope = cache.scope<string, number>("long", { prefix, key: long, ttl: "1h", load: () => 1 });
    await scope.get("a");
    expect(await operations.inspect(`${prefix}:a`)).toMatchObject({ kind: "record", state: "fresh" });
    const walking = { keysPerSecond: 1_000_000 };
    expect(await operations.reclaim(prefix, walking)).toMatchObject({ seen: 1, removed: 0 });
    await operations.flush(prefix);
    expect(await operations.reclaim(prefix, walking)).toMatchObject({ seen: 1, removed: 1 });
  });

  it("walks no faster than it may", async () => {
    const pausesMs: number[] = [];
    const clock: Clock = {
      ...systemClock,
      schedule(delayMs, call, options) {
        // Deadlines are longer than any pause of a walk.
        if (delayMs >= deadlineMs / 2) return systemClock.schedule(delayMs, call, options);
        pausesMs.push(delayMs);
        return systemClock.schedule(0, call, options);
      },
    };
    const paced = cacheOperations(redis, { clock, deadlineMs });
    const filler = freshPrefix();
    await admin.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, key) => [`${filler}:${key}`, "x"])));
    onTestFinished(async () => void (await admin.eval(dropAll, 0, `${filler}:*`)));
    expect((await paced.stats(filler, { keysPerSecond: 500 })).foreign).toBeGreaterThanOrEqual(3000);
    expect(pausesMs.length).toBeGreaterThanOrEqual(5);
    expect(Math.min(...pausesMs)).toBeGreaterThan(800);
  });

  it.each([0, -1, Number.NaN])("refuses a pace of %d", async (keysPerSecond) => {
    const refused = operations.reclaim("feed", { keysPerSecond });
    await expect(refused).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
  });
});

const dropAll = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end";
