import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { started as marketOf, warmed, xCacheOf } from "./support/cached.ts";
import { seededDatabase, type Answer } from "./support/marketplace.ts";
import { facts, namesIn, started, startPair, type Pair, type Row } from "./support/pair.ts";
import { registerSeller, send } from "./support/people.ts";

let pair: Pair | undefined;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair?.[Symbol.asyncDispose]());

const at = () => started(pair);
/** Changes something by one process. */
const change = (...args: Parameters<Pair["change"]>): Promise<Row> => at().change(...args);
/** Reads by the other process. */
const read = (path: string): Promise<Answer> => at().read(path);
const warm = (path: string): Promise<Answer> => at().warm(path);

function offered(): Promise<Row> {
  return change(["POST", "/api/products"], at().seller, facts);
}

async function approved(): Promise<Row> {
  const { id } = await change(["POST", "/api/listings"], at().seller, { ...facts, location: "Lagos" });
  return change(["POST", `/api/admin/listings/${id}/approve`], at().admin);
}

const detail = ({ id }: Row): string => `/api/listings/${id}`;
const list = (category: string) => `/api/products?category=${category}&sort=price&order=asc`;
const everything = "/api/products?limit=5";
const search = "/api/public/listings/search?limit=5";

describeNeeding({ redis: "real" }, "products, read by another process right after", () => {
  it("one is created: its lists show it, other details are still cached", async () => {
    const { id: other } = await offered();
    await Promise.all([list("books"), everything, `/api/products/${other}`].map(warm));
    await change(["POST", "/api/products"], at().seller, { ...facts, name: "Zaria drum", price_minor: 0 });
    expect(namesIn(await read(list("books")))).toContain("Zaria drum");
    expect(namesIn(await read(everything))).toContain("Zaria drum");
    expect(xCacheOf(await read(`/api/products/${other}`))).toBe("HIT");
  });

  it("one is updated: it and its lists show that, other details are still cached, and no 304 is", async () => {
    const [{ id }, { id: other }] = [await offered(), await offered()];
    const paths = [list("books"), everything, `/api/products/${id}`];
    const before = await Promise.all(paths.map(warm));
    await warm(`/api/products/${other}`);
    await change(["PATCH", `/api/products/${id}`], at().seller, { name: "Kano drum" });
    for (const [index, path] of paths.entries()) {
      const etag = before[index]?.headers.get("etag") ?? "";
      const reply = await fetch(at().there.url + path, { headers: { "if-none-match": etag } });
      expect([path, reply.status, await reply.text()]).toEqual([path, 200, expect.stringContaining("Kano drum")]);
    }
    expect(xCacheOf(await read(`/api/products/${other}`))).toBe("HIT");
    // And to those whose replies are not shared.
    const own = await send(at().there, ["GET", `/api/products/${id}`], { token: at().seller.access_token });
    expect(own.body.data).toMatchObject({ name: "Kano drum" });
  });

  it("one is deleted: 404, to who is logged in, too, and on no list", async () => {
    const { id } = await offered();
    const token = at().seller.access_token;
    const own = () => send(at().there, ["GET", `/api/products/${id}`], { token });
    await Promise.all([list("books"), everything, `/api/products/${id}`].map(warm));
    expect((await own()).status).toBe(200);
    await change(["DELETE", `/api/products/${id}`], at().seller);
    expect([(await read(`/api/products/${id}`)).status, (await own()).status]).toEqual([404, 404]);
    expect(JSON.stringify((await read(list("books"))).body)).not.toContain(id);
  });

  it("one is moved to another category: both show that, all other categories are still cached", async () => {
    const { id } = await offered();
    const concerned = [list("books"), list("home"), everything];
    await Promise.all([...concerned, list("phones"), `/api/products/${id}`].map(warm));
    await change(["PATCH", `/api/products/${id}`], at().seller, { category: "home", price_minor: 0 });
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
    await at().imported("products", { ...facts, name: "Imported drum" });
    for (const path of paths) expect([path, xCacheOf(await read(path))]).toEqual([path, "MISS"]);
    expect(namesIn(await read(everything))).toContain("Imported drum");
    expect(xCacheOf(await read(search))).toBe("HIT");
  });

  it("one is changed again and again: no reader is shown less than what had been answered before it asked", async () => {
    const { id } = await offered();
    const token = at().seller.access_token;
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
    const own = () => send(at().there, ["GET", path], { token });
    const readers = [() => read(path), () => at().here.get(path), () => read(path), own].map(reads);
    for (let price = 1; price <= 40; price += 1) {
      await change(["PATCH", path], at().seller, { price_minor: price });
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
    const token = at().seller.access_token;
    const refused = await send(at().here, ["PATCH", `/api/products/${id}`], { token, body: { category: "nowhere" } });
    expect(refused.status).toBe(400);
    for (const path of paths) expect([path, xCacheOf(await read(path))]).toEqual([path, "HIT"]);
  });
});

describeNeeding({ redis: "real" }, "listings, read by another process right after", () => {
  it("one is created and approved: it is found, other details are still cached", async () => {
    const other = await approved();
    await Promise.all([warm(search), warm(detail(other))]);
    const { id } = await change(["POST", "/api/listings"], at().seller, { ...facts, location: "Lagos" });
    expect(xCacheOf(await read(search))).toBe("MISS");
    await warm(search);
    expect((await read(`/api/listings/${id}`)).status).toBe(404);
    await change(["POST", `/api/admin/listings/${id}/approve`], at().admin);
    expect((await read(`/api/listings/${id}`)).status).toBe(200);
    expect(JSON.stringify((await read(search)).body)).toContain(id);
    expect(xCacheOf(await read(detail(other)))).toBe("HIT");
  });

  it("one is updated, or its inspection flag is: all readers see that", async () => {
    const one = await approved();
    const token = at().seller.access_token;
    const own = async () => {
      const answer = await send(at().there, ["GET", "/api/listings/search?limit=5"], { token });
      return [xCacheOf(answer), namesIn(answer)] as const;
    };
    await Promise.all([warm(search), warm(detail(one)), own()]);
    expect((await own())[0]).toBe("HIT");
    await change(["PATCH", `/api/listings/${one.id}`], at().seller, { name: "Kano drum" });
    expect((await read(detail(one))).body.data).toMatchObject({ name: "Kano drum" });
    expect(namesIn(await read(search))).toContain("Kano drum");
    expect((await own())[1]).toContain("Kano drum");

    await warm(detail(one));
    await change(["POST", `/api/admin/listings/${one.id}/inspection`], at().admin, { inspection_flag: true });
    expect((await read(detail(one))).body.data).toMatchObject({ inspection_flag: true });
  });

  it("one is deleted: 404, and it is not found", async () => {
    const one = await approved();
    await Promise.all([warm(search), warm(detail(one))]);
    await change(["DELETE", `/api/listings/${one.id}`], at().seller);
    expect((await read(detail(one))).status).toBe(404);
    expect(JSON.stringify((await read(search)).body)).not.toContain(one.id);
  });

  it("many are imported: they are found, and products are still cached", async () => {
    await Promise.all([warm(search), warm(everything)]);
    const row = { ...facts, location: "Lagos", status: "approved", name: "Imported drum" };
    await at().imported("listings", row);
    expect(namesIn(await read(search))).toContain("Imported drum");
    expect(xCacheOf(await read(everything))).toBe("HIT");
  });
});

describe("a marketplace without Redis", () => {
  it("shows its own changes at once", async () => {
    const market = await marketOf(await seededDatabase());
    const owner = await registerSeller(market);
    await warmed(market, everything);
    const body = { ...facts, name: "Local drum" };
    expect((await send(market, ["POST", "/api/products"], { token: owner.access_token, body })).status).toBe(201);
    expect(namesIn(await market.get(everything))).toContain("Local drum");
  });
});
