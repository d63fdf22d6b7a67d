import { createHash, randomUUID } from "node:crypto";

import { slotOf, type Redis } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { service } from "@sluice/testing/vitest";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

import {
  bucket,
  byAction,
  byIp,
  byUser,
  concurrency,
  createRateLimiter,
  fixedWindow,
  slidingLog,
  strictWindow,
  window,
} from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { codeOf, until } from "./outcome.ts";

const redis = connectRedis({ url: service("redis").url, role: "rate-limit-facts", deadlineMs: 10_000 });
afterAll(() => redis.close());

let id = "";
beforeEach(() => (id = randomUUID()));

const policies = {
  minute: window({ limit: 5, per: "1m" }),
  tenth: window({ limit: 1, per: 100 }),
  all: [
    window({ name: "w", limit: 5, per: "1h" }),
    strictWindow({ name: "s", limit: 5, per: "2h" }),
    fixedWindow({ name: "f", limit: 5, per: 1 }),
    slidingLog({ name: "l", limit: 5, per: "1m" }),
    bucket({ name: "b", capacity: 5, refill: 1, every: "40d" }),
    concurrency({ name: "c", limit: 5, lease: "1m" }),
  ],
  buy: bucket({ capacity: 10, refill: 1, every: "6s" }),
} as const;

function made(port: Redis = redis) {
  return createRateLimiter({ store: redisStore(port, { deadlineMs: 10_000 }), policies, onStoreError: "deny" });
}

/** The port, with a note of every command. */
function noted(port: Redis): { readonly port: Redis; readonly keys: string[][] } {
  const keys: string[][] = [];
  const run: Redis["run"] = (script, entry, options) => {
    keys.push([...entry.keys]);
    return port.run(script, entry, options);
  };
  return { port: Object.assign(Object.create(port) as Redis, { run }), keys };
}

async function leftMs(key: string): Promise<number> {
  return Number(await redis.read("PTTL", [key]));
}

async function shorten(key: string, ms: number): Promise<void> {
  const source = "return redis.call('PEXPIRE', KEYS[1], ARGV[1])";
  const sha1 = createHash("sha1").update(source).digest("hex");
  await redis.run({ name: "shorten", source, sha1 }, { keys: [key], args: [ms] });
}

describe("a store in Redis", () => {
  it("keeps subjects under the names that people know, one hash each, in a slot of its own", async () => {
    const limiter = made();
    await limiter.consume("all", byUser(id));
    await limiter.consume("minute", byUser(id));
    await limiter.consume("minute", byIp(`2001:db8:${id.slice(0, 4)}::/64`));
    await limiter.consume("buy", byAction(id, "buy"));
    for (const key of [`rate:user:${id}`, `rate:anon:2001:db8:${id.slice(0, 4)}::/64`, `rate_limit:${id}:buy`]) {
      expect(await redis.read("TYPE", [key])).toBe("hash");
    }
    expect(await redis.read("HLEN", [`rate:user:${id}`])).toBe(7);
    expect(slotOf(byUser("{42}").key)).not.toBe(slotOf(byUser("42").key));
  });

  it("lets no key live for ever, and none for less than its longest window", async () => {
    const limiter = made();
    const user = byUser(id);
    const first = await limiter.consume("all", user);
    const hours = await leftMs(user.key);
    expect(hours).toBeGreaterThan(40 * 86_400_000 - 60_000);
    await limiter.consume("tenth", user);
    expect(await leftMs(user.key)).toBeGreaterThan(hours - 60_000);
    await first.refund();
    await limiter.reset(user, "all");
    expect(await leftMs(user.key)).toBeGreaterThan(0);
    const other = byUser(`${id}-other`);
    await limiter.consume("tenth", other);
    expect(await leftMs(other.key)).toBeGreaterThan(50_000);
    await limiter.block(other, "1d");
    expect(await leftMs(other.key)).toBeGreaterThan(86_000_000);
    await limiter.consume("tenth", byUser(`${id}-third`));
    const marked = byUser(`${id}-marked`);
    await limiter.override("minute", marked, { limit: 7, for: "1h" });
    expect(await leftMs(marked.key)).toBeGreaterThan(3_500_000);
    await limiter.consume("minute", marked);
    expect(await leftMs(marked.key)).toBeGreaterThan(3_500_000);
  });

  it("keeps a key for as long as a correction makes it count", async () => {
    const limiter = createRateLimiter({
      store: redisStore(redis, { deadlineMs: 10_000 }),
      policies: {
        tokens: bucket({ capacity: 10, refill: 1, every: "1h" }),
        job: concurrency({ limit: 1, lease: "10m" }),
      },
    });
    const tokens = byUser(`${id}-tokens`);
    const call = await limiter.consume("tokens", tokens);
    expect(await call.settle(9)).toBe(true);
    expect(await leftMs(tokens.key)).toBeGreaterThan(9 * 3_600_000 - 60_000);
    const job = byUser(`${id}-job`);
    const slot = await limiter.consume("job", job);
    // As if most of the time had passed for which the key was to be kept.
    await shorten(job.key, 1000);
    expect(await slot.renew()).toBe(true);
    expect(await leftMs(job.key)).toBeGreaterThan(540_000);
    expect(await slot.release()).toBe(true);
  });

  it("counts by the server's time, in milliseconds", async () => {
    const limiter = made();
    const user = byUser(id);
    expect((await limiter.consume("tenth", user)).allowed).toBe(true);
    const denied = await limiter.consume("tenth", user);
    expect(denied.retryAfterMs).toBeGreaterThan(0);
    expect(denied.retryAfterMs).toBeLessThanOrEqual(200);
    const acquired = await limiter.acquire("tenth", user, { maxWait: "10s" });
    expect(acquired.allowed).toBe(true);
    const [seconds] = (await redis.read("TIME", [])) as [string];
    const state = (await redis.read("HGET", [user.key, "w1:tenth@100"])) as string;
    expect(Math.abs(Number(state.split(":")[0]) * 100 - Number(seconds) * 1000)).toBeLessThan(5000);
  });

  it("needs one command for several limits, and for all calls of a turn", async () => {
    const { port, keys } = noted(redis);
    const limiter = made(port);
    await limiter.consume("all", byUser(id));
    expect(keys).toEqual([[`rate:user:${id}`]]);
    await Promise.all(Array.from({ length: 50 }, (_, index) => limiter.consume("minute", byUser(`${id}-${index}`))));
    expect(keys.length).toBe(2);
    await limiter.consumeAll([
      { policy: "minute", subject: byUser(`${id}-a`) },
      { policy: "buy", subject: byAction(id, "buy") },
    ]);
    expect(keys.length).toBe(3);
  });

  it("writes nothing for a denial and nothing for a look", async () => {
    const limiter = createRateLimiter({ store: redisStore(redis, { deadlineMs: 10_000 }), policies, denyCache: 0 });
    const user = byUser(id);
    await limiter.check("all", user);
    expect(await redis.read("EXISTS", [user.key])).toBe(0);
    for (let call = 0; call < 5; call += 1) await limiter.consume("minute", user);
    const before = await redis.read("HGETALL", [user.key]);
    for (let call = 0; call < 20; call += 1) await limiter.consume("minute", user);
    expect(await redis.read("HGETALL", [user.key])).toEqual(before);
  });

  it("frees a slot whose process has died when its lease ends", async () => {
    const limiter = createRateLimiter({
      store: redisStore(redis, { deadlineMs: 10_000 }),
      policies: { job: concurrency({ limit: 1, lease: 50 }) },
    });
    expect((await limiter.consume("job", byUser(id))).allowed).toBe(true);
    await until(async () => (await limiter.consume("job", byUser(id))).allowed);
  });

  it("refuses a prefix with braces, and answers of another form", async () => {
    expect(codeOf(() => redisStore(redis, { prefix: "{app}:" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(codeOf(() => redisStore(redis, { deadlineMs: 0 }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    for (const reply of [null, "text", [], [2, 0, 1, 0, 5, 4, 0, 0, 0], [1, 0, 1, 0], [1, "0", 1, 0, 5, 4, 0, 0, 0]]) {
      const port = Object.assign(Object.create(redis) as Redis, { run: () => Promise.resolve(reply) });
      const store = redisStore(port);
      const [limit] = createRateLimiter({ policies }).policies.minute;
      if (!limit) throw new Error("There is no limit.");
      await expect(store.take([{ key: "k", limit, cost: 1 }], { spend: true })).rejects.toMatchObject({
        code: "ERR_SLUICE_RATE_LIMIT_REPLY",
      });
    }
  });
});
