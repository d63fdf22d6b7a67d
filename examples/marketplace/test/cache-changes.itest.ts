import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { patient, started, warmed, xCacheOf } from "./support/cached.ts";
import { secret } from "./support/config.ts";
import { request, seededDatabase, startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { registerAdmin, registerSeller, send, type Person } from "./support/people.ts";
import { runMarket, type MarketProcess } from "./support/process.ts";

let databaseUrl: string;
let redis: LaunchedRedis | undefined;
let here: TestMarketplace | undefined;
/** Another process, as `npm start` runs it. */
let neighbour: MarketProcess | undefined;
let there: Readers | undefined;
let [seller, admin]: Person[] = [];

/** What reads need of a marketplace. */
type Readers = Pick<TestMarketplace, "url" | "get">;

beforeAll(async () => {
  databaseUrl = await seededDatabase();
  const binary = await findRedis();
  if (binary === undefined) return;
  redis = await launchRedis({ binary });
  const environment = { ...patient, CACHE_REDIS_URL: redis.url, SECRET_KEY: secret };
  here = await startMarketplace({ databaseUrl, environment });
  neighbour = runMarket(["web"], {
    ...environment,
    DATABASE_URL: databaseUrl,
    SEED_SIZE: "none",
    ENABLE_RATE_LIMIT: "false",
  });
  const url = await neighbour.listening();
  there = { url, get: (path) => request(url + path) };
  [seller, admin] = [await registerSeller(here), await registerAdmin(here)];
});
afterAll(async () => {
  neighbour?.signal("SIGTERM");
  await neighbour?.ended;
  await here?.[Symbol.asyncDispose]();
  await redis?.stop();
});

interface Row {
  readonly id: string;
  readonly name: string;
}

/** Changes something by one process. */
async function change([method, path]: readonly [string, string], who: Person | undefined, body?: unknown) {
  const token = who?.access_token ?? "";
  const answer = await send(at(here), [method, path], body === undefined ? { token } : { token, body });
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body.data as Row;
}

/** Reads by the other process. */
const read = (path: string): Promise<Answer> => at(there).get(path);
const warm = (path: string): Promise<Answer> => warmed(at(there), path);

function at<Market extends Readers>(market: Market | undefined): Market {
  if (market === undefined) throw new Error("Not started");
  return market;
}

const facts = { name: "Talking drum", description: "Loud and clear.", category: "books", price_minor: 1 };

function offered(): Promise<Row> {
  return change(["POST", "/api/products"], seller, facts);
}

async function approved(): Promise<Row> {
  const { id } = await change(["POST", "/api/listings"], seller, { ...facts, location: "Lagos" });
  return change(["POST", `/api/admin/listings/${id}/approve`], admin);
}

const detail = ({ id }: Row): string => `/api/listings/${id}`;
const list = (category: string) => `/api/products?category=${category}&sort=price&order=asc`;
const everything = "/api/products?limit=5";
const search = "/api/public/listings/search?limit=5";

function namesIn({ body }: Answer): string[] {
  return (body.data as readonly Row[]).map(({ name }) => name);
}

/** Sends lines as the administrator. */
async function imported(kind: "products" | "listings", row: object): Promise<void> {
  const { status } = await request(`${at(here).url}/api/admin/${kind}/bulk-import`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${admin?.access_token}` },
    body: JSON.stringify(row),
  });
  expect(status).toBe(200);
}

async function shopOf(person: Person | undefined): Promise<string> {
  const { body } = await send(at(here), ["GET", "/api/auth/me"], { token: person?.access_token ?? "" });
  return (body.data as { seller: { id: string } }).seller.id;
}

describeNeeding({ redis: "real" }, "products, read by another process right after", () => {
  it("one is created: its lists show it, other details are still cached", async () => {
    const { id: other } = await offered();
    await Promise.all([list("books"), everything, `/api/products/${other}`].map(warm));
    await change(["POST", "/api/products"], seller, { ...facts, name: "Zaria drum", price_minor: 0 });
    expect(namesIn(await read(list("books")))).toContain("Zaria drum");
    expect(namesIn(await read(everything))).toContain("Zaria drum");
    expect(xCacheOf(await read(`/api/products/${other}`))).toBe("HIT");
  });

  it("one is updated: it and its lists show that, other details are still cached, and no 304 is", async () => {
    const [{ id }, { id: other }] = [await offered(), await offered()];
    const paths = [list("books"), everything, `/api/products/${id}`];
    const before = await Promise.all(paths.map(warm));
    await warm(`/api/products/${other}`);
    await change(["PATCH", `/api/products/${id}`], seller, { name: "Kano drum" });
    for (const [index, path] of paths.entries()) {
      const etag = before[index]?.headers.get("etag") ?? "";
      const reply = await fetch(at(there).url + path, { headers: { "if-none-match": etag } });
      expect([path, reply.status, await reply.text()]).toEqual([path, 200, expect.stringContaining("Kano drum")]);
    }
    expect(xCacheOf(await read(`/api/products/${other}`))).toBe("HIT");
    // And to those whose replies are not shared.
    const own = await send(at(there), ["GET", `/api/products/${id}`], { token: seller?.access_token ?? "" });
    expect(own.body.data).toMatchObject({ name: "Kano drum" });
  });

  it("one is deleted: 404, to who is logged in, too, and on no list", async () => {
    const { id } = await offered();
    const token = seller?.access_token ?? "";
    const own = () => send(at(there), ["GET", `/api/products/${id}`], { token });
    await Promise.all([list("books"), everything, `/api/products/${id}`].map(warm));
    expect((await own()).status).toBe(200);
    await change(["DELETE", `/api/products/${id}`], seller);
    expect([(await read(`/api/products/${id}`)).status, (await own()).status]).toEqual([404, 404]);
    expect(JSON.stringify((await read(list("books"))).body)).not.toContain(id);
  });

  it("one is moved to another category: both show that, all other categories are still cached", async () => {
    const { id } = await offered();
    const concerned = [list("books"), list("home"), everything];
    await Promise.all([...concerned, list("phones"), `/api/products/${id}`].map(warm));
    await change(["PATCH", `/api/products/${id}`], seller, { category: "home", price_minor: 0 });
    expect(JSON.stringify((await read(list("books"))).body)).not.toContain(id);
    expect(JSON.stringify((await read(list("home"))).body)).toContain(id);
    expect((await read(everything)).body.data).toContainEqual(expect.objectContaining({ id, category: "home" }));
    expect((await read(`/api/products/${id}`)).body.data).toMatchObject({ category: "home" });
    expect(xCacheOf(await read(list("phones")))).toBe("HIT");
  });

  it("many are imported: nothing of products is cached any more, and listings still are", async () => {
    const { id } = await offered();
    const paths = [list("books"), list("phones"), everything, `/api/products/${id}`];
    await Promise.all([...paths, search].map(warm));
    await imported("products", { ...facts, name: "Imported drum", seller_id: await shopOf(seller) });
    for (const path of paths) expect([path, xCacheOf(await read(path))]).toEqual([path, "MISS"]);
    expect(namesIn(await read(everything))).toContain("Imported drum");
    expect(xCacheOf(await read(search))).toBe("HIT");
  });

  it("one is changed again and again: no reader is shown less than what had been answered before it asked", async () => {
    const { id } = await offered();
    const token = seller?.access_token ?? "";
    const path = `/api/products/${id}`;
    let answered = 1;
    const stopping = new AbortController();
    const marks = new Set<string | null>();
    async function reads(ask: () => Promise<Answer>): Promise<number> {
      let older = 0;
      while (!stopping.signal.aborted) {
        const floor = answered;
        const answer = await ask();
        marks.add(xCacheOf(answer));
        if ((answer.body.data as { readonly version: number }).version < floor) older += 1;
      }
      return older;
    }
    const own = () => send(at(there), ["GET", path], { token });
    const readers = [() => read(path), () => at(here).get(path), () => read(path), own].map(reads);
    for (let price = 1; price <= 40; price += 1) {
      await change(["PATCH", path], seller, { price_minor: price });
      answered = 1 + price;
    }
    stopping.abort();
    expect(await Promise.all(readers)).toEqual([0, 0, 0, 0]);
    expect([...marks]).toEqual(expect.arrayContaining(["HIT", "MISS"]));
  });

  it("a change is refused: everything is still cached", async () => {
    const { id } = await offered();
    const paths = [list("books"), `/api/products/${id}`];
    await Promise.all(paths.map(warm));
    const token = seller?.access_token ?? "";
    const refused = await send(at(here), ["PATCH", `/api/products/${id}`], { token, body: { category: "nowhere" } });
    expect(refused.status).toBe(400);
    for (const path of paths) expect([path, xCacheOf(await read(path))]).toEqual([path, "HIT"]);
  });
});

describeNeeding({ redis: "real" }, "listings, read by another process right after", () => {
  it("one is created and approved: it is found, other details are still cached", async () => {
    const other = await approved();
    await Promise.all([warm(search), warm(detail(other))]);
    const { id } = await change(["POST", "/api/listings"], seller, { ...facts, location: "Lagos" });
    expect(xCacheOf(await read(search))).toBe("MISS");
    await warm(search);
    expect((await read(`/api/listings/${id}`)).status).toBe(404);
    await change(["POST", `/api/admin/listings/${id}/approve`], admin);
    expect((await read(`/api/listings/${id}`)).status).toBe(200);
    expect(JSON.stringify((await read(search)).body)).toContain(id);
    expect(xCacheOf(await read(detail(other)))).toBe("HIT");
  });

  it("one is updated, or its inspection flag is: all readers see that", async () => {
    const one = await approved();
    const token = seller?.access_token ?? "";
    const own = async () => {
      const answer = await send(at(there), ["GET", "/api/listings/search?limit=5"], { token });
      return [xCacheOf(answer), namesIn(answer)] as const;
    };
    await Promise.all([warm(search), warm(detail(one)), own()]);
    expect((await own())[0]).toBe("HIT");
    await change(["PATCH", `/api/listings/${one.id}`], seller, { name: "Kano drum" });
    expect((await read(detail(one))).body.data).toMatchObject({ name: "Kano drum" });
    expect(namesIn(await read(search))).toContain("Kano drum");
    expect((await own())[1]).toContain("Kano drum");

    await warm(detail(one));
    await change(["POST", `/api/admin/listings/${one.id}/inspection`], admin, { inspection_flag: true });
    expect((await read(detail(one))).body.data).toMatchObject({ inspection_flag: true });
  });

  it("one is deleted: 404, and it is not found", async () => {
    const one = await approved();
    await Promise.all([warm(search), warm(detail(one))]);
    await change(["DELETE", `/api/listings/${one.id}`], seller);
    expect((await read(detail(one))).status).toBe(404);
    expect(JSON.stringify((await read(search)).body)).not.toContain(one.id);
  });

  it("many are imported: they are found, and products are still cached", async () => {
    await Promise.all([warm(search), warm(everything)]);
    const row = { ...facts, location: "Lagos", status: "approved", name: "Imported drum" };
    await imported("listings", { ...row, seller_id: await shopOf(seller) });
    expect(namesIn(await read(search))).toContain("Imported drum");
    expect(xCacheOf(await read(everything))).toBe("HIT");
  });
});

describe("a marketplace without Redis", () => {
  it("shows its own changes at once", async () => {
    const market = await started(databaseUrl);
    const owner = await registerSeller(market);
    await warmed(market, everything);
    const body = { ...facts, name: "Local drum" };
    expect((await send(market, ["POST", "/api/products"], { token: owner.access_token, body })).status).toBe(201);
    expect(namesIn(await market.get(everything))).toContain("Local drum");
  });
});
