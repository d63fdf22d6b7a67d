import { seededRandom } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { frozen } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { zipf } from "../src/seed/zipf.ts";
import { ownRedis, patient, started, warmed, xCacheOf } from "./support/cached.ts";
import { secret } from "./support/config.ts";
import { seededDatabase } from "./support/marketplace.ts";
import { register, registerAdmin, registerSeller, send } from "./support/people.ts";
import { runMarket } from "./support/process.ts";

let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await seededDatabase();
});

const list = "/api/products?limit=5";
const facts = { name: "Talking drum", description: "Loud and clear.", category: "books", price_minor: 1 };

describeNeeding({ redis: "real" }, "while the cache's Redis does not answer", () => {
  it("GETs are answered by the database within a budget, and from the cache again afterwards", async () => {
    const redis = await ownRedis();
    const market = await started(databaseUrl, { CACHE_REDIS_URL: redis.url });
    const { body } = await warmed(market, list);
    const slowestMs = await frozen(redis.pid, async () => {
      let slowest = 0;
      for (let count = 0; count < 30; count += 1) {
        const startedMs = performance.now();
        const answer = await market.get(list);
        slowest = Math.max(slowest, performance.now() - startedMs);
        expect([answer.status, xCacheOf(answer), answer.body.data]).toEqual([200, "BYPASS", body.data]);
      }
      return slowest;
    });
    expect(slowestMs).toBeLessThan(1000);
    await expect.poll(async () => xCacheOf(await market.get(list)), { timeout: 10_000 }).toBe("HIT");
    expect(market.log.lines.map(({ message }) => message)).toContain("The cache's store does not answer");
    const metrics = await (await fetch(`${market.url}/metrics`)).text();
    expect(metrics).toMatch(/^cache_store_failures_total(\{.*\})? [1-9]/m);
    expect(metrics).toMatch(/^cache_reads_total\{.*outcome="degraded".*\} \d{2}/m);
  });

  it("a change by a process that cannot reach Redis, and dies, is told to Redis by another one", async () => {
    const redis = await ownRedis();
    const environment = { ...patient, SECRET_KEY: secret };
    const market = await started(databaseUrl, { ...environment, CACHE_REDIS_URL: redis.url });
    const { access_token: token } = await registerSeller(market);
    const { body } = await send(market, ["POST", "/api/products"], { token, body: facts });
    const path = `/api/products/${(body.data as { readonly id: string }).id}`;
    const other = runMarket(["web"], {
      ...environment,
      CACHE_REDIS_URL: "redis://127.0.0.1:1",
      DATABASE_URL: databaseUrl,
      SEED_SIZE: "none",
    });
    let isOver = false;
    onTestFinished(() => (isOver ? undefined : other.signal("SIGKILL")));
    const url = await other.listening();
    await warmed(market, path);
    const changed = await fetch(url + path, {
      method: "PATCH",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: "Kano drum" }),
    });
    other.signal("SIGKILL");
    isOver = (await other.ended) === "SIGKILL";
    expect(changed.status).toBe(200);
    const name = async () => ((await market.get(path)).body.data as { readonly name: string }).name;
    await expect.poll(name, { timeout: 10_000 }).toBe("Kano drum");
    expect(await warmed(market, path)).toMatchObject({ body: { data: { name: "Kano drum" } } });
    const waiting = () => market.admin.query("select 1 from sluice.cache_outbox").then(({ rows }) => rows.length);
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
  }, 60_000);
});

describe("the flush of an operator", () => {
  it("ends a scope, a prefix or everything, and leaves the rest", async () => {
    const market = await started(databaseUrl);
    const { access_token: token } = await registerAdmin(market);
    const search = "/api/public/listings/search?limit=5";
    const flush = (body: object) => send(market, ["POST", "/api/v1/ops/cache/flush"], { token, body });
    await Promise.all([warmed(market, list), warmed(market, search)]);
    expect((await flush({ scope: "feed" })).body.data).toEqual({ prefixes: ["v1:feed:"], applied: 1, queued: 0 });
    expect([xCacheOf(await market.get(search)), xCacheOf(await market.get(list))]).toEqual(["MISS", "HIT"]);
    expect((await flush({ prefix: "cache:products:" })).status).toBe(200);
    expect([xCacheOf(await market.get(search)), xCacheOf(await market.get(list))]).toEqual(["HIT", "MISS"]);
    expect((await flush({ scope: "all" })).body.data).toMatchObject({ applied: 4, queued: 0 });
    expect([xCacheOf(await market.get(search)), xCacheOf(await market.get(list))]).toEqual(["MISS", "MISS"]);
  });

  it("is for administrators, and names what it does not know", async () => {
    const market = await started(databaseUrl);
    const { access_token: token } = await registerAdmin(market);
    const nobody = await register(market);
    const flush = (body: object, by = token) => send(market, ["POST", "/api/v1/ops/cache/flush"], { token: by, body });
    expect((await flush({ scope: "all" }, nobody.access_token)).status).toBe(403);
    for (const body of [{}, { scope: "all", prefix: "v1:feed:" }, { scope: "everything" }]) {
      expect([body, (await flush(body)).status]).toEqual([body, 400]);
    }
    for (const prefix of ["v1:fe", "cache:", "lock:", "*"]) {
      expect([prefix, await flush({ prefix })]).toMatchObject([
        prefix,
        { status: 400, body: { error: { fields: [{ path: "body.prefix" }] } } },
      ]);
    }
  });
});

describe("the metrics", () => {
  it("tell the hit ratio of each scope, and whether it is as it should be", async () => {
    const market = await started(databaseUrl);
    const path = "/api/public/listings/search?limit=9";
    for (let count = 0; count < 10; count += 1) await market.get(path);
    const metrics = await (await fetch(`${market.url}/metrics`)).text();
    expect(metrics).toMatch(/^cache_hit_ratio\{scope="feed:search"\} 0\.9$/m);
    expect(metrics).toMatch(/^cache_healthy\{scope="feed:search"\} 1$/m);
    expect(metrics).toMatch(/^cache_reads_total\{scope="feed:search",outcome="hit"\} 9$/m);
  });
});

describe("browsing as people do", () => {
  it("is answered by the cache in more than 85 of 100 requests, from cold", async () => {
    const market = await started(databaseUrl);
    const { rows: listings } = await market.admin.query<{ id: string; category: string }>(
      `select l.id, c.slug as category from listings l join categories c on c.id = l.category_id
       where l.status = 'approved' order by l.id`,
    );
    const draw = zipf(listings.length);
    const random = seededRandom(testSeed());
    /** A look at a list, then at something that it may show. */
    async function visit(): Promise<void> {
      for (let count = 0; count < 250; count += 1) {
        const { id = "", category = "" } = listings[draw(random)] ?? {};
        for (const path of [`/api/public/listings/search?category=${category}`, `/api/listings/${id}`]) {
          const reply = await fetch(market.url + path);
          await reply.arrayBuffer();
          expect(reply.status).toBe(200);
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, visit));
    const metrics = await (await fetch(`${market.url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^cache_reads_total\{.*outcome="(\w+)".*\} (\d+)$/gm)];
    const sum = (...outcomes: string[]): number =>
      counts
        .filter(([, outcome = ""]) => outcomes.length === 0 || outcomes.includes(outcome))
        .reduce((total, [, , count]) => total + Number(count), 0);
    console.log(`${listings.length} listings, ${sum()} requests: hit ratio ${(sum("hit") / sum()).toFixed(3)}`);
    expect(sum()).toBe(4000);
    expect(sum("hit") / sum()).toBeGreaterThan(0.85);
  });
});

describe("a start", () => {
  it("is refused where a variable …_CACHE_TTL_SECONDS is malformed, naming it", async () => {
    const refused = runMarket(["web"], { FEED_CACHE_TTL_SECONDS: "soon", DEFAULT_CACHE_TTL_SECONDS: "1e3" });
    expect(await refused.ended).toBe(1);
    expect(refused.logged()).toMatch(/^ {2}FEED_CACHE_TTL_SECONDS must be .*soon/m);
    expect(refused.logged()).toMatch(/^ {2}DEFAULT_CACHE_TTL_SECONDS must be .*1e3/m);
  });
});
