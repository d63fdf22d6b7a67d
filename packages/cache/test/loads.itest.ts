import { systemRandom } from "@sluice/core";
import { testRequest, throughGuard } from "@sluice/http/testing";
import { connectRedis } from "@sluice/redis/ioredis";
import { service } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";

import { cacheGuard, queryOf } from "../src/http/index.ts";
import { createCache, paramsKey, pathKey, type Cache, type CacheScope, type ScopeOptions } from "../src/index.ts";
import { redisStore } from "../src/redis/index.ts";
import { until } from "./support/fleet.ts";
import { gate, rejection } from "./support/shop.ts";

const { url } = service("redis");
const deadlineMs = 5000;
const redis = connectRedis({ url, deadlineMs });
const admin = new Ioredis(url);
afterAll(async () => {
  admin.disconnect();
  await redis.close();
});

/** One process's cache; those of one test share a prefix that nobody else has. */
function freshCache(): Cache {
  const cache = createCache({ store: redisStore(redis, { deadlineMs }) });
  onTestFinished(() => cache.close());
  return cache;
}

function pageOf(request: { readonly url: string }): { page: string } {
  return { page: String(queryOf(request)["page"] ?? 1) };
}

type Values = CacheScope<string, unknown>;

/** The same scope in two processes, and its prefix. */
function two(options: Partial<ScopeOptions<string, unknown>>): { values: [Values, Values]; prefix: string } {
  const prefix = `v1:loads-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
  const scope = (): Values =>
    freshCache().scope<string, unknown>("loads", { prefix, key: pathKey<string>(), ttl: "1m", ...options });
  return { values: [scope(), scope()], prefix };
}

describe("on Redis", () => {
  it("a load that throws rejects for its process, and leaves nothing that another one waits for", async () => {
    const failing = gate<never>();
    const { values, prefix } = two({ load: () => "loaded" });
    const [one, other] = values;
    const asked = Array.from({ length: 20 }, () => rejection(one.get("a", { load: () => failing.passed })));
    await until(async () => (await admin.exists(`{${prefix}:a}:l`)) === 1);
    failing.fail(new Error("the database is away"));
    expect(new Set((await Promise.all(asked)).map(({ message }) => message))).toEqual(
      new Set(["the database is away"]),
    );
    expect(await admin.exists(`{${prefix}:a}:l`, `${prefix}:a`)).toBe(0);
    expect(await other.get("a")).toBe("loaded");
    expect([one.stats().loads, other.stats().loads]).toEqual([1, 1]);
  });

  it("a load that hangs ends at its timeout, and the other process does not wait for longer than it may", async () => {
    const { values } = two({ loadTimeout: 400, wait: 100, load: () => "loaded" });
    const [one, other] = values;
    let aborted = false;
    const hung = rejection(
      one.get("a", {
        load: ({ signal }) =>
          new Promise<never>(() => {
            signal.addEventListener("abort", () => (aborted = true));
          }),
      }),
    );
    await until(() => one.stats().loads === 1);
    // It loads for itself, and stores nothing that is not its own.
    expect(await other.get("a")).toBe("loaded");
    expect(await hung).toMatchObject({ code: "ERR_SLUICE_CACHE_LOAD_TIMEOUT", timeoutMs: 400 });
    expect(aborted).toBe(true);
    // The lease went with it.
    expect(await one.get("a")).toBe("loaded");
    expect(await other.get("a")).toBe("loaded");
    expect(other.stats().reads.hit).toBe(1);
  });

  it("null is kept for both processes, for negativeTtl, and undefined for neither", async () => {
    const { values, prefix } = two({ negativeTtl: "5s", jitter: 0, load: (id) => (id === "none" ? null : undefined) });
    const [one, other] = values;
    expect([await one.get("none"), await other.get("none")]).toEqual([null, null]);
    expect([one.stats().loads, other.stats().loads]).toEqual([1, 0]);
    expect(await admin.pttl(`${prefix}:none`)).toBeGreaterThan(0);
    expect(await admin.pttl(`${prefix}:none`)).toBeLessThanOrEqual(5000);
    expect([await one.get("odd"), await other.get("odd")]).toEqual([undefined, undefined]);
    expect(await admin.exists(`${prefix}:odd`, `{${prefix}:odd}:l`)).toBe(0);
    expect(one.stats().storesSkipped.undefined + other.stats().storesSkipped.undefined).toBe(2);
  });

  it("every key that is stored ends by itself, leases and generations included", async () => {
    const { values, prefix } = two({ groups: (id) => ({ group: id }), tags: true, ttl: "1m" });
    const [one] = values;
    await one.get("a", { load: (context) => (context.tags("t"), "loaded") });
    const held = gate<string>();
    const loading = one.get("b", { load: () => held.passed });
    await until(async () => (await admin.exists(`{${prefix}:b}:l`)) === 1);
    const keys = await admin.keys(`*${prefix.slice(3)}*`);
    // A record, a lease, and generations of the prefix, the scope, two groups, a tag and any tag.
    expect(keys.length).toBe(8);
    for (const key of keys) expect([key, (await admin.pttl(key)) > 0]).toEqual([key, true]);
    held.open("loaded");
    await loading;
  });

  it("keys of hostile types and sizes meet nobody else's, and hijack no slot", async () => {
    const prefix = `v1:hostile-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
    const hostile: readonly Readonly<Record<string, unknown>>[] = [
      { a: 1 },
      { a: "1" },
      { a: true },
      { a: "true" },
      { a: null },
      { a: "null" },
      { a: [] },
      { a: "" },
      { a: ["x", "y"] },
      { a: "x,y" },
      { a: "x:b=y" },
      { a: "x", b: "y" },
      { a: "{slot}" },
      { a: "*\r\nDEL x\r\n" },
      { a: "x".repeat(50_000) },
      { a: `${"x".repeat(49_999)}y` },
      { a: "\u0000" },
      { a: "\ud800" },
      { "a:b": 1 },
      { a: new Date(0) },
      { a: { b: 1, c: [1] } },
    ];
    const scopes = [freshCache(), freshCache()].map((cache) =>
      cache.scope<Readonly<Record<string, unknown>>, number>("hostile", {
        prefix,
        key: paramsKey(),
        ttl: "1m",
        load: (params) => hostile.indexOf(params),
      }),
    );
    for (const scope of scopes) {
      const read = await Promise.all(hostile.map((params) => scope.get(params)));
      expect(read).toEqual(hostile.map((_, index) => index));
    }
    expect(scopes.map((scope) => scope.stats().loads)).toEqual([hostile.length, 0]);
    const keys = await admin.keys(`${prefix}:*`);
    expect(keys.length).toBe(hostile.length);
    for (const key of keys) expect(key).toMatch(/^[^{}\s]{1,300}$/);
  });

  it("a 304 is answered while nothing has changed, and by no process after an update by another", async () => {
    const prefix = `v1:pages-${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
    let body = "one";
    let ran = 0;
    const site = (): { cache: Cache; guard: ReturnType<typeof cacheGuard<{ page: string }>> } => {
      const cache = freshCache();
      return {
        cache,
        guard: cacheGuard({ cache, name: "pages", prefix, key: paramsKey(), params: pageOf, ttl: "1m" }),
      };
    };
    const [one, other] = [site(), site()];
    const ask = ({ guard }: typeof one, headers = {}) =>
      throughGuard(guard, testRequest({ url: "/pages?page=1", headers }), () => {
        ran += 1;
        return { status: 200, headers: { "content-type": "text/plain" }, body };
      });
    const etag = String((await ask(one)).headers["etag"]);
    expect((await ask(other, { "if-none-match": etag })).status).toBe(304);
    expect(ran).toBe(1);
    body = "two";
    await one.cache.invalidate([one.guard.entry({ page: "1" })]);
    const changed = await ask(other, { "if-none-match": etag });
    expect([changed.status, changed.headers["x-cache"], ran]).toEqual([200, "MISS", 2]);
    expect((await ask(one, { "if-none-match": etag })).status).toBe(200);
    expect((await ask(one, { "if-none-match": String(changed.headers["etag"]) })).status).toBe(304);
    expect(ran).toBe(2);
  });
});
