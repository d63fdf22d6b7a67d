import { describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { createQueue } from "../src/infra/queue.ts";
import { patient } from "./support/cached.ts";
import { secret } from "./support/config.ts";
import { startMarketplace, type Answer, type TestMarketplace } from "./support/marketplace.ts";
import { facts, namesIn, started, startPair, type Pair, type Row } from "./support/pair.ts";
import { send } from "./support/people.ts";

let pair: Pair | undefined;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair?.[Symbol.asyncDispose]());

const recommended = "/api/public/listings/recommended?limit=5";
const inCategory = (category: string) => `/api/public/listings/recommended?category=${category}&limit=5`;
const products = "/api/products?limit=5";

/** Makes something public, the newest that there is. */
async function approved(name = facts.name): Promise<Row> {
  const { change, seller, admin } = started(pair);
  const { id } = await change(["POST", "/api/listings"], seller, { ...facts, name, location: "Lagos" });
  return change(["POST", `/api/admin/listings/${id}/approve`], admin);
}

function idsIn({ body }: Answer): string[] {
  return (body.data as readonly Row[]).map(({ id }) => id);
}

describeNeeding({ redis: "real" }, "what visitors are recommended, read by another process right after", () => {
  it("a listing is created and approved", async () => {
    const { change, seller, admin, warm, read, foundIn } = started(pair);
    await Promise.all([warm(recommended), warm(products)]);
    const { id } = await change(["POST", "/api/listings"], seller, { ...facts, location: "Lagos" });
    expect(await foundIn(recommended)).toBe("MISS");
    expect(idsIn(await warm(recommended))).not.toContain(id);
    await change(["POST", `/api/admin/listings/${id}/approve`], admin);
    expect(idsIn(await read(recommended))[0]).toBe(id);
    expect(await foundIn(products)).toBe("HIT");
  });

  it("a listing is updated, and no 304 is answered", async () => {
    const { change, seller, warm, there } = started(pair);
    const { id } = await approved();
    const etag = (await warm(recommended)).headers.get("etag") ?? "";
    await change(["PATCH", `/api/listings/${id}`], seller, { name: "Kano drum" });
    const reply = await fetch(there.url + recommended, { headers: { "if-none-match": etag } });
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining("Kano drum")]);
  });

  it("an inspection is asked for, and no longer", async () => {
    const { change, admin, warm, read } = started(pair);
    const { id } = await approved();
    const inspect = (flag: boolean) =>
      change(["POST", `/api/admin/listings/${id}/inspection`], admin, { inspection_flag: flag });
    expect(idsIn(await warm(recommended))).toContain(id);
    await inspect(true);
    expect(idsIn(await read(recommended))).not.toContain(id);
    await warm(recommended);
    await inspect(false);
    expect(idsIn(await read(recommended))).toContain(id);
  });

  it("a listing is moved to another category", async () => {
    const { change, seller, warm, read } = started(pair);
    const { id } = await approved();
    await Promise.all([recommended, inCategory("books"), inCategory("home")].map(warm));
    await change(["PATCH", `/api/listings/${id}`], seller, { category: "home" });
    expect(idsIn(await read(inCategory("books")))).not.toContain(id);
    expect(idsIn(await read(inCategory("home")))).toContain(id);
    expect((await read(recommended)).body.data).toContainEqual(expect.objectContaining({ id, category: "home" }));
  });

  it("a listing is deleted", async () => {
    const { change, seller, warm, read } = started(pair);
    const { id } = await approved();
    expect(idsIn(await warm(recommended))).toContain(id);
    await change(["DELETE", `/api/listings/${id}`], seller);
    expect(idsIn(await read(recommended))).not.toContain(id);
  });

  it("many are imported", async () => {
    const { imported, warm, read } = started(pair);
    await warm(recommended);
    await imported("listings", { ...facts, location: "Lagos", status: "approved", name: "Imported drum" });
    expect(namesIn(await read(recommended))).toContain("Imported drum");
  });

  it("a change is refused: it is still cached", async () => {
    const { here, seller, warm, foundIn } = started(pair);
    const { id } = await approved();
    await warm(recommended);
    const body = { category: "nowhere" };
    const refused = await send(here, ["PATCH", `/api/listings/${id}`], { token: seller.access_token, body });
    expect([refused.status, await foundIn(recommended)]).toEqual([400, "HIT"]);
  });
});

const search = (category: string) => `/api/products/search?q=sahel&category=${category}`;
const facets = (category: string) => `/api/products/search/facets?q=sahel&category=${category}`;
const all = ["/api/products/search?q=sahel", "/api/products/search/facets?q=sahel"] as const;
const counted = "/api/products/search/facets";

function total({ body }: Answer): number {
  return (body.data as { readonly total: number }).total;
}

function offered(): Promise<Row> {
  const { change, seller } = started(pair);
  return change(["POST", "/api/products"], seller, { ...facts, name: "Sahel drum" });
}

describeNeeding(
  { redis: "real" },
  "searches for products and their facets, read by another process right after",
  () => {
    it("one is created: both show it, and what a rollup has counted is still cached", async () => {
      const { warm, read, foundIn } = started(pair);
      const [, before] = await Promise.all([warm(all[0]), warm(all[1]), warm(counted)]);
      const { id } = await offered();
      expect(idsIn(await read(all[0]))).toContain(id);
      expect(total(await read(all[1]))).toBe(total(before) + 1);
      expect(await foundIn(counted)).toBe("HIT");
    });

    it("one is updated: both show that", async () => {
      const { change, seller, warm, read } = started(pair);
      const { id } = await offered();
      const [, before] = await Promise.all([warm(all[0]), warm(all[1])]);
      await change(["PATCH", `/api/products/${id}`], seller, { name: "Kano drum", description: "Loud." });
      expect(idsIn(await read(all[0]))).not.toContain(id);
      expect(total(await read(all[1]))).toBe(total(before) - 1);
    });

    it("one is moved to another category: both show that, those of all other categories are still cached", async () => {
      const { change, seller, warm, read, foundIn } = started(pair);
      const { id } = await offered();
      const others = [search("phones"), facets("phones"), counted];
      const paths = [search("books"), search("home"), facets("books"), facets("home"), ...all, ...others];
      const [, , inBooks, inHome] = await Promise.all(paths.map(warm));
      await change(["PATCH", `/api/products/${id}`], seller, { category: "home", price_minor: 7 });
      expect(idsIn(await read(search("books")))).not.toContain(id);
      expect(idsIn(await read(search("home")))).toContain(id);
      expect([total(await read(facets("books"))), total(await read(facets("home")))]).toEqual([
        total(started(inBooks)) - 1,
        total(started(inHome)) + 1,
      ]);
      expect((await read(all[0])).body.data).toContainEqual(expect.objectContaining({ id, category: "home" }));
      expect(await foundIn(all[1])).toBe("MISS");
      for (const path of others) expect([path, await foundIn(path)]).toEqual([path, "HIT"]);
    });

    it("one is deleted: both show that", async () => {
      const { change, seller, warm, read } = started(pair);
      const { id } = await offered();
      const [, before] = await Promise.all([warm(all[0]), warm(all[1])]);
      await change(["DELETE", `/api/products/${id}`], seller);
      expect(idsIn(await read(all[0]))).not.toContain(id);
      expect(total(await read(all[1]))).toBe(total(before) - 1);
    });

    it("many are imported: nothing of either is cached any more, and what is recommended still is", async () => {
      const { imported, warm, read, foundIn } = started(pair);
      const paths = [...all, search("phones"), counted];
      await Promise.all([...paths, recommended].map(warm));
      await imported("products", { ...facts, name: "Imported sahel drum" });
      for (const path of paths) expect([path, await foundIn(path)]).toEqual([path, "MISS"]);
      expect(namesIn(await read(all[0]))).toContain("Imported sahel drum");
      expect(await foundIn(recommended)).toBe("HIT");
    });
  },
);

/** Orders for what is in the category `books`, in a status and for so many units each. */
async function buy({ admin }: TestMarketplace, ...orders: readonly (readonly [status: string, units: number])[]) {
  await admin.query(
    `with placed as (
       insert into orders (id, user_id, source, status, total_minor, expires_at)
       select gen_random_uuid(), (select id from users limit 1), 'order', g.status, 1, sluice_now()
       from unnest($1::text[]) as g (status) returning id, status
     )
     insert into order_items (order_id, product_id, name, quantity, price_minor)
     select placed.id, p.id, p.name, g.units, 1
     from placed join unnest($1::text[], $2::integer[]) as g (status, units) using (status), (
       select p.id, p.name from products p join categories c on c.id = p.category_id where c.slug = 'books' limit 1
     ) p`,
    [orders.map(([status]) => status), orders.map(([, units]) => units)],
  );
}

describeNeeding({ redis: "real" }, "what counts have made of replies, read by another process", () => {
  it("is shown once a worker has counted, and the rest is still cached", async () => {
    const { here, redisUrl, warm, read, foundIn } = started(pair);
    const { databaseUrl } = here;
    const queue = await createQueue({
      urls: [databaseUrl],
      log: here.app.server.log,
      schedules: false,
      supervises: false,
    });
    const environment = { ...patient, CACHE_REDIS_URL: redisUrl, SECRET_KEY: secret };
    const worker = await startMarketplace({ role: "worker", databaseUrl, environment });
    onTestFinished(async () => {
      await worker[Symbol.asyncDispose]();
      await queue.stop(1000);
    });
    await buy(here, ["confirmed", 3], ["delivered", 4], ["pending", 50], ["cancelled", 60], ["refunded", 70]);
    await here.admin.query("update orders set created_at = created_at - interval '31 days' where status = 'delivered'");
    await Promise.all([counted, recommended, ...all, products].map(warm));
    await here.app.database.sql.transaction((transaction) => queue.enqueue(transaction, "catalog_rollup", [{}]));
    const found = () => here.admin.query("select 1 from category_rollups").then(({ rows }) => rows.length);
    await expect.poll(found, { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => foundIn(recommended), { timeout: 10_000 }).toBe("MISS");
    const shown = async () => (await read(counted)).body.data;
    await expect.poll(shown, { timeout: 10_000 }).toMatchObject({ counted_at: expect.any(String) });
    const { rows } = await here.admin.query<{ slug: string }>(
      "select c.slug, units_sold::text as units from category_rollups r join categories c on c.id = r.category_id where units_sold > 0",
    );
    expect(rows).toEqual([{ slug: "books", units: "3" }]);
    for (const path of [...all, products]) expect([path, await foundIn(path)]).toEqual([path, "HIT"]);
  });
});
