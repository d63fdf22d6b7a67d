import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startMarketplace, type TestMarketplace } from "./support/marketplace.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace();
});
afterAll(() => market[Symbol.asyncDispose]());

const orders = [
  "/api/products?",
  "/api/products?order=asc&",
  "/api/products?sort=price&order=asc&",
  "/api/products?sort=price&order=desc&",
  "/api/products?category=phones&sort=price&",
  "/api/public/listings/search?",
  "/api/public/listings/search?sort=oldest&",
  "/api/public/listings/search?sort=price_asc&category=phones&",
  "/api/public/listings/search?sort=price_desc&location=Lagos&",
  "/api/public/listings/search?q=phone&",
  "/api/public/listings/search?q=phone&sort=newest&",
  "/api/public/listings/recommended?",
  "/api/public/listings/recommended?location=lagos&",
];

/** Reads to the end, doing something between pages. */
async function readAll(path: string, between: (page: number) => Promise<unknown> = async () => undefined) {
  const ids: string[] = [];
  let cursor = "";
  for (let page = 1; ; page += 1) {
    const { status, body } = await market.get(`${path}limit=17${cursor}`);
    expect(status).toBe(200);
    ids.push(...(body.data as { id: string }[]).map(({ id }) => id));
    if (body.page.next_cursor === null) return ids;
    cursor = `&cursor=${body.page.next_cursor}`;
    await between(page);
  }
}

describe("paging", () => {
  it.each(orders)("%s shows every row once", async (path) => {
    const ids = await readAll(path);
    expect(ids.length).toBeGreaterThan(17);
    expect(new Set(ids).size).toBe(ids.length);
    // The same rows as one page at a time of another size would give.
    const first = (await market.get(`${path}limit=100`)).body.data as { id: string }[];
    expect(ids.slice(0, first.length)).toEqual(first.map(({ id }) => id));
  });

  it("counts to the microsecond, where rows of one import tie", async () => {
    const { rows } = await market.admin.query<{ ties: number }>(
      "select count(*)::integer - count(distinct created_at)::integer as ties from products",
    );
    expect(rows[0]?.ties).toBeGreaterThan(0);
    const { rows: active } = await market.admin.query("select id from products where status = 'active'");
    expect(await readAll("/api/products?")).toHaveLength(active.length);
  });

  it("neither repeats nor skips a row while others come and go", async () => {
    const before = await readAll("/api/products?");
    const removed = new Set<string>();
    const during = await readAll("/api/products?", async (page) => {
      await market.admin
        .script(`insert into products (id, seller_id, category_id, name, description, price_minor, created_at)
        select gen_random_uuid(), seller_id, category_id, 'new', '', 1, created_at + interval '1 second'
        from products tablesample bernoulli (2)`);
      const victim = before[(page * 29) % before.length] ?? "";
      removed.add(victim);
      await market.admin.query("delete from products where id = $1::uuid", [victim]);
    });
    expect(new Set(during).size).toBe(during.length);
    const untouched = before.filter((id) => !removed.has(id));
    const seen = new Set(during);
    expect(untouched.filter((id) => !seen.has(id))).toEqual([]);
  });

  it("refuses a cursor of another order", async () => {
    const { body } = await market.get("/api/products?limit=5");
    const reply = await market.get(`/api/products?limit=5&sort=price&cursor=${body.page.next_cursor}`);
    expect([reply.status, reply.body.error.fields?.[0]?.path]).toEqual([400, "query.cursor"]);
  });
});

describe("the plans of pages", () => {
  beforeAll(async () => {
    await market.admin.script(`
      insert into products (id, seller_id, category_id, name, description, price_minor, created_at)
      select gen_random_uuid(), seller_id, category_id, name, '', n * 1000 + 100000, created_at - n * interval '1 minute'
      from products, generate_series(1, 20) n;
      insert into listings (id, seller_id, category_id, name, description, location, price_minor, status, created_at)
      select gen_random_uuid(), seller_id, category_id, name, '', location, n * 1000 + 100000, status, created_at - n * interval '1 minute'
      from listings, generate_series(1, 10) n;
      analyze`);
  });

  const cursor = "(timestamptz '2025-11-01', uuid '00000000-0000-8000-8000-000000000000')";
  const price = "(150000, uuid '00000000-0000-8000-8000-000000000000')";
  const phones = "category_id = (select id from categories where slug = 'phones')";

  it.each([
    [
      "idx_products_cursor_created",
      `products where status = 'active' and (created_at, id) < ${cursor} order by created_at desc, id desc`,
    ],
    ["idx_products_cursor_created", `products where status = 'active' order by created_at, id`],
    [
      "idx_products_cursor_price",
      `products where status = 'active' and (price_minor, id) > ${price} order by price_minor, id`,
    ],
    [
      "idx_products_category_created",
      `products where status = 'active' and ${phones} and (created_at, id) < ${cursor} order by created_at desc, id desc`,
    ],
    ["idx_products_category_price", `products where status = 'active' and ${phones} order by price_minor, id`],
    [
      "idx_listings_public_created",
      `listings where status = 'approved' and (created_at, id) < ${cursor} order by created_at desc, id desc`,
    ],
    ["idx_listings_public_price", `listings where status = 'approved' order by price_minor desc, id desc`],
    [
      "idx_listings_category_created",
      `listings where status = 'approved' and ${phones} order by created_at desc, id desc`,
    ],
    [
      "idx_listings_location_created",
      `listings where status = 'approved' and lower(location) = 'jos' order by created_at desc, id desc`,
    ],
  ])("read %s without a sort", async (index, rest) => {
    const plan = await explain(`select id from ${rest} limit 21`);
    expect(plan).toContain(`using ${index} on`);
    expect(plan).not.toContain("Sort");
  });

  it("search by the inverted index", async () => {
    // Until then the planner reckons with whatever autovacuum has found out so far.
    await market.admin.query("vacuum analyze products");
    const plan = await explain("select id from products where search @@ websearch_to_tsquery('english', 'guitar')");
    expect(plan).toContain("idx_products_search");
  });

  it("are the plans of the statements that routes send", async () => {
    await using slow = await startMarketplace({ databaseUrl: market.databaseUrl, environment: { SLOW_QUERY_MS: "0" } });
    const first = await slow.get("/api/products?category=phones");
    await slow.get(`/api/products?category=phones&cursor=${first.body.page.next_cursor}`);
    const statement = String(
      slow.log.lines.map(({ query }) => query).findLast((query) => String(query).includes("(p.created_at, p.id) <")),
    );
    expect(statement).toMatch(/order by p.created_at desc, p.id desc limit/);
    expect(statement).not.toMatch(/\bor\b|offset/i);
  });
});

async function explain(statement: string): Promise<string> {
  const { rows } = await market.admin.query<{ "QUERY PLAN": string }>(`explain ${statement}`);
  return rows.map((row) => row["QUERY PLAN"]).join("\n");
}
