import { connectRedis } from "@sluice/redis/ioredis";
import { describeNeeding } from "@sluice/testing/vitest";
import { beforeAll, describe, expect, it } from "vitest";

import { keysOf, ownRedis, patient, started, statements, warmed, xCacheOf } from "./support/cached.ts";
import { seededDatabase, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { register, registerSeller, send } from "./support/people.ts";

let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
});

async function firstOf(market: TestMarketplace, path: string): Promise<string> {
  const rows = (await market.get(path)).body.data as readonly { readonly id: string }[];
  return rows[0]?.id ?? "";
}

/** One path of each kind that is cached. */
async function cachedPaths(market: TestMarketplace): Promise<string[]> {
  const product = await firstOf(market, "/api/products?limit=1");
  const listing = await firstOf(market, "/api/public/listings/search?limit=1");
  return [
    "/api/products?category=phones&sort=price&order=asc&limit=20",
    `/api/products/${product}`,
    "/api/public/listings/search?q=solar+panel",
    `/api/listings/${listing}`,
    "/api/public/listings/recommended?category=phones",
    "/api/products/search?q=solar+panel",
    "/api/products/search/facets?q=solar+panel",
    "/api/products/search/facets",
  ];
}

function idAt(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function nameOf({ body }: Answer): string {
  return (body.data as { readonly name: string }).name;
}

describe("a public GET", () => {
  it("is repeated without a single statement, with its own request id", async () => {
    const market = await started(databaseUrl, { SLOW_QUERY_MS: "0" });
    for (const path of await cachedPaths(market)) {
      const first = await warmed(market, path);
      const before = statements(market).length;
      const again = await market.get(path);
      expect([path, xCacheOf(again), statements(market).length - before]).toEqual([path, "HIT", 0]);
      expect(again.body.data).toEqual(first.body.data);
      expect(again.body.trace_id).not.toBe(first.body.trace_id);
      expect(again.headers.get("age")).toMatch(/^\d+$/);
      const ifNoneMatch = { "if-none-match": again.headers.get("etag") ?? "" };
      const same = await fetch(market.url + path, { headers: ifNoneMatch });
      expect([path, same.status, statements(market).length - before]).toEqual([path, 304, 0]);
    }
    // The counting counts: what is not cached needs a statement.
    const before = statements(market).length;
    await market.get("/api/categories");
    expect(statements(market).length).toBeGreaterThan(before);
  });

  it("says what caches on the way may do, and answers 304 to who has it", async () => {
    const market = await started(databaseUrl, { SLOW_QUERY_MS: "0" });
    const path = "/api/products?limit=2";
    const { headers } = await warmed(market, path);
    expect(headers.get("cache-control")).toMatch(/^public, max-age=0, s-maxage=\d+, stale-while-revalidate=30$/);
    expect(headers.get("age")).toMatch(/^\d+$/);
    const etag = headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    const before = statements(market).length;
    const same = await fetch(market.url + path, { headers: { "if-none-match": etag } });
    expect([same.status, await same.text(), statements(market).length - before]).toEqual([304, "", 0]);
    const head = await fetch(market.url + path, { method: "HEAD" });
    expect([head.status, head.headers.get("x-cache"), head.headers.get("etag")]).toEqual([200, "HIT", etag]);
  });

  it("has one entity tag for one content, whoever asked first", async () => {
    const [one, other] = [await started(databaseUrl), await started(databaseUrl)];
    const [here, there] = [await one.get("/api/products?limit=3"), await other.get("/api/products?limit=3")];
    expect([xCacheOf(here), xCacheOf(there)]).toEqual(["MISS", "MISS"]);
    expect(here.headers.get("etag")).toBe(there.headers.get("etag"));
    expect(here.headers.get("etag")).not.toBeNull();
  });

  it("is loaded once for all who ask at the same time", async () => {
    const market = await started(databaseUrl, { SLOW_QUERY_MS: "0" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => market.get("/api/products?limit=7")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(statements(market).filter((text) => text.includes("from products"))).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.trace_id)).size).toBe(20);
  });

  it("is neither stored nor shared where it is refused, or asked with credentials", async () => {
    const market = await started(databaseUrl);
    const person = await register(market);
    const [list = "", detail = ""] = await cachedPaths(market);
    for (const path of [list, detail]) {
      await warmed(market, path);
      const own = await send(market, ["GET", path], { token: person.access_token });
      expect([xCacheOf(own), own.headers.get("cache-control")]).toEqual(["BYPASS", "private, no-store"]);
    }
    for (const path of ["/api/products?limit=0", "/api/products?cursor=x", `/api/products/${crypto.randomUUID()}`]) {
      for (const { status, headers } of [await market.get(path), await market.get(path)]) {
        expect([path, status]).toEqual([path, path.includes("?") ? 400 : 404]);
        expect(headers.get("cache-control")).toMatch(/no-store/);
        expect(headers.get("x-cache")).not.toBe("HIT");
      }
    }
  });

  it("is loaded when it is to be everybody's, whatever is cached for those who are logged in", async () => {
    const market = await started(databaseUrl);
    const { access_token: token } = await register(market);
    const path = `/api/products/${await firstOf(market, "/api/products?limit=1&category=home")}`;
    const before = nameOf(await send(market, ["GET", path], { token }));
    // By nobody who would invalidate anything.
    await market.admin.query("update products set name = name || ' II' where id = $1", [idAt(path)]);
    expect(nameOf(await send(market, ["GET", path], { token }))).toBe(before);
    expect(nameOf(await market.get(path))).toBe(`${before} II`);
  });

  it("is cached for browsers of other origins, too, each of which is told its own", async () => {
    const market = await started(databaseUrl, { CORS_ORIGINS: "https://a.example,https://b.example" });
    const from = (origin: string) => fetch(`${market.url}/api/products?limit=4`, { headers: { origin } });
    const [first, second] = [await from("https://a.example"), await from("https://b.example")];
    expect([xCacheOf(first), xCacheOf(second)]).toEqual(["MISS", "HIT"]);
    expect(second.headers.get("access-control-allow-origin")).toBe("https://b.example");
    expect(second.headers.get("vary")).toContain("Origin");
  });
});

describe("a search of somebody who is logged in", () => {
  it("is answered from the cache to them, and to nobody else", async () => {
    const market = await started(databaseUrl, { SLOW_QUERY_MS: "0" });
    const [ada, bola] = [await registerSeller(market), await registerSeller(market)];
    const owners = [ada.shop, bola.shop];
    await market.admin.query(
      `update listings l set seller_id = ($1::uuid[])[n.number] from (
         select id, row_number() over (order by created_at desc, id desc) as number
         from listings where status = 'approved'
       ) n where n.id = l.id and n.number <= 2`,
      [owners],
    );
    const search = (token: string) => send(market, ["GET", "/api/listings/search?limit=100"], { token });
    const mine = (answer: Awaited<ReturnType<typeof search>>) =>
      (answer.body.data as { id: string; mine: boolean }[]).filter((card) => card.mine).map(({ id }) => id);
    const first = await search(ada.access_token);
    const again = await search(ada.access_token);
    const others = await search(bola.access_token);
    expect([first, again, others].map(xCacheOf)).toEqual(["MISS", "HIT", "MISS"]);
    expect([first, again, others].map((answer) => answer.headers.get("cache-control"))).toEqual(
      Array(3).fill("private, no-store"),
    );
    expect(mine(again)).toEqual(mine(first));
    expect([mine(first).length, mine(others).length]).toEqual([1, 1]);
    expect(mine(others)).not.toEqual(mine(first));
    expect((await market.get("/api/listings/search")).status).toBe(401);
  });
});

describeNeeding({ redis: "real" }, "the keys in Redis", () => {
  it("are the documented ones, one for all spellings of a query, and live no longer than configured", async () => {
    const { url } = await ownRedis();
    const market = await started(databaseUrl, {
      ...patient,
      CACHE_REDIS_URL: url,
      DEFAULT_CACHE_TTL_SECONDS: "7",
      LISTING_DETAIL_CACHE_TTL_SECONDS: "8",
      FEED_CACHE_TTL_SECONDS: "9",
    });
    const [, detail = "", , listing = ""] = await cachedPaths(market);
    await Promise.all([warmed(market, detail), warmed(market, listing)]);
    const query = "category=phones&sort=price&order=asc&limit=20";
    await warmed(market, `/api/products?${query}`);
    const before = await keysOf(url, "cache:products:");
    for (const spelling of [
      "limit=20&order=asc&sort=price&category=phones",
      "category=phones&sort=price&order=asc",
      `${query}&utm_source=mail`,
    ]) {
      expect([spelling, xCacheOf(await market.get(`/api/v1/products?${spelling}`))]).toEqual([spelling, "HIT"]);
    }
    expect(await keysOf(url, "cache:products:")).toEqual(before);
    expect(before).toContain(`cache:products:${idAt(detail)}`);
    expect(before.filter((key) => /^cache:products:[0-9a-f]{32}$/.test(key)).length).toBeGreaterThan(0);
    expect(await keysOf(url, "product:")).toEqual([`product:${idAt(detail)}`]);
    expect(await keysOf(url, "v1:listing_detail:")).toEqual([`v1:listing_detail:id=${idAt(listing)}`]);
    const feed = await keysOf(url, "v1:feed:");
    expect(feed).toContain("v1:feed:search:limit=1:sort=newest");
    const others = ["/api/public/listings/recommended", "/api/public/listings/recommended?limit=20&sort=newest"];
    const found = [await warmed(market, others[0] ?? ""), await market.get(others[1] ?? "")];
    expect(found.map(xCacheOf)).toEqual(["HIT", "HIT"]);
    expect(await keysOf(url, "v1:feed:recommended:")).toEqual(["v1:feed:recommended:limit=20"]);
    for (const path of ["/api/products/search?q=drum", "/api/products/search/facets?q=drum"]) {
      const known = new Set(await keysOf(url, "cache:products:"));
      await warmed(market, path);
      const added = (await keysOf(url, "cache:products:")).filter((key) => !known.has(key));
      expect([path, added]).toEqual([path, [expect.stringMatching(/^cache:products:[0-9a-f]{32}$/)]]);
    }

    await using redis = connectRedis({ url, deadlineMs: 5000 });
    const leftMs = async (key: string) => Number(await redis.read("PTTL", [key]));
    expect(await leftMs(`cache:products:${idAt(detail)}`)).toSatisfy((ms: number) => ms > 0 && ms <= 7000);
    expect(await leftMs(`v1:listing_detail:id=${idAt(listing)}`)).toSatisfy((ms: number) => ms > 0 && ms <= 8000);
    expect(await leftMs(feed[0] ?? "")).toSatisfy((ms: number) => ms > 0 && ms <= 9000);
  });

  it("are not there while the cache is switched off: the bodies are the same, and changes still invalidate", async () => {
    const { url } = await ownRedis();
    const on = await started(databaseUrl, { ...patient, CACHE_REDIS_URL: url });
    const off = await started(databaseUrl, { ...patient, CACHE_REDIS_URL: url, ENABLE_CACHE: "false" });
    const paths = await cachedPaths(off);
    for (const path of paths) {
      const answers = [await off.get(path), await off.get(path)];
      expect(answers.map(xCacheOf)).toEqual(["BYPASS", "BYPASS"]);
    }
    for (const prefix of ["cache:", "product:", "v1:"]) expect(await keysOf(url, prefix)).toEqual([]);
    for (const path of paths) expect((await warmed(on, path)).body.data).toEqual((await off.get(path)).body.data);

    const seller = await registerSeller(off);
    const body = { name: "New lamp", description: "Bright.", category: "home", price_minor: 1 };
    const { status } = await send(off, ["POST", "/api/products"], { token: seller.access_token, body });
    expect(status).toBe(201);
    expect(xCacheOf(await on.get(paths[0] ?? ""))).toBe("MISS");
  });
});
