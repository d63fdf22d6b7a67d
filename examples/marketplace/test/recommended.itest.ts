import { seededRandom } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { listingRepository } from "../src/modules/listings/repository.ts";
import { startMarketplace, type TestMarketplace } from "./support/marketplace.ts";

let market: TestMarketplace;
beforeAll(async () => {
  market = await startMarketplace({ environment: { ENABLE_CACHE: "false" } });
});
afterAll(() => market[Symbol.asyncDispose]());

const recommended = "/api/public/listings/recommended";

interface Offer {
  readonly id: string;
  readonly category: string;
  readonly location: string;
  readonly price: number;
  /** In microseconds of an age that counts from the newest. */
  readonly age: number;
  readonly isFlagged: boolean;
  readonly sold: number;
  readonly offered: number;
}

/** Everything that is public, with what a rollup has counted of its category. */
async function offers(): Promise<readonly Offer[]> {
  const { rows } = await market.admin.query<Offer>(
    `select l.id, c.slug as category, l.location, l.price_minor::float8 as price, l.inspection_flag as "isFlagged",
       (extract(epoch from max(l.created_at) over () - l.created_at) * 1000000)::float8 as age,
       coalesce(r.units_sold, 0)::float8 as sold, coalesce(r.listing_count, 0)::float8 as offered
     from listings l join categories c on c.id = l.category_id left join category_rollups r on r.category_id = c.id
     where l.status = 'approved'`,
  );
  return rows;
}

/** The rule as it is documented, in the plainest way. */
function ranked(all: readonly Offer[]): string[] {
  const placed = all
    .filter(({ isFlagged }) => !isFlagged)
    .map(({ id, age, sold, offered }) => ({ id, age: age / 1e6 / Math.min(10, 1 + sold / Math.max(1, offered)) }));
  return placed.toSorted((a, b) => a.age - b.age || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
}

/** Reads to the end, doing something between pages. */
async function readAll(query: string, between: (page: number) => Promise<unknown> = async () => undefined) {
  const ids: string[] = [];
  let cursor = "";
  for (let page = 1; ; page += 1) {
    const { status, body } = await market.get(`${recommended}?${query}${cursor}`);
    expect(status).toBe(200);
    ids.push(...(body.data as { id: string }[]).map(({ id }) => id));
    if (body.page.next_cursor === null) return ids;
    cursor = `&cursor=${body.page.next_cursor}`;
    await between(page);
  }
}

/** As a rollup would have counted. Not by one: what was bought would have to be there. */
async function count(unitsOf: (category: string, listings: number) => number): Promise<void> {
  const { rows } = await market.admin.query<{ slug: string; listings: number }>(
    `select c.slug, count(l.id)::integer as listings from categories c
     left join listings l on l.category_id = c.id and l.status = 'approved' group by 1 order by 1`,
  );
  await market.admin.query(
    `insert into category_rollups (category_id, product_count, listing_count, units_sold, computed_at)
     select c.id, 0, g.listings, g.units, sluice_now()
     from unnest($1::text[], $2::integer[], $3::bigint[]) as g (slug, listings, units) join categories c using (slug)
     on conflict (category_id) do update set listing_count = excluded.listing_count, units_sold = excluded.units_sold`,
    [
      rows.map(({ slug }) => slug),
      rows.map(({ listings }) => listings),
      rows.map((row) => unitsOf(row.slug, row.listings)),
    ],
  );
}

/** A cursor for recommendations, with whatever in it. */
function forged(...place: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([1, "l:recommended", ...place])).toString("base64url");
}

describe("what visitors are recommended", () => {
  it("is the newest, where nothing has been counted", async () => {
    await market.admin.query("delete from category_rollups");
    const newest = (await offers()).toSorted((a, b) => a.age - b.age || (a.id < b.id ? 1 : -1));
    const ids = newest.filter(({ isFlagged }) => !isFlagged).map(({ id }) => id);
    expect(await readAll("limit=100")).toEqual(ids);
  });

  it("ages more slowly where more is bought, ten times as slowly at most, and ties go to the higher id", async () => {
    await count((category, listings) => (category === "books" ? listings * 50 : 0));
    const ofBooks = ranked(await offers());
    expect(await readAll("limit=100")).toEqual(ofBooks);
    const random = seededRandom(testSeed());
    for (let round = 0; round < 5; round += 1) {
      await count((_category, listings) => random.integer(0, 1 + listings * random.integer(0, 20)));
      const ids = await readAll(`limit=${random.integer(20, 100)}`);
      expect(ids).toEqual(ranked(await offers()));
    }
  });

  it("is of what is asked for alone, in the same order", async () => {
    await count((category) => category.length * 20);
    const all = await offers();
    const cheap = all.filter(({ price }) => price >= 1_000_000 && price <= 20_000_000);
    expect(await readAll("limit=9&category=home")).toEqual(ranked(all.filter(({ category }) => category === "home")));
    expect(await readAll("limit=9&location=kANO")).toEqual(ranked(all.filter(({ location }) => location === "Kano")));
    expect(await readAll("limit=50&min_price=1000000&max_price=20000000")).toEqual(ranked(cheap));
    expect(await readAll("category=nowhere")).toEqual([]);
    expect(await readAll("location=nowhere")).toEqual([]);
    const both = ranked(cheap.filter(({ category, location }) => category === "phones" && location === "Lagos"));
    const query = "category=phones&location=Lagos&min_price=1000000&max_price=20000000";
    expect(await readAll(`limit=3&${query}`)).toEqual(both);
    expect(both.length).toBeGreaterThan(3);
  });

  it("leaves out what an inspection has been asked for, and what is not public", async () => {
    const ids = new Set(await readAll("limit=100"));
    const { rows } = await market.admin.query<{ id: string }>(
      "select id from listings where inspection_flag or status <> 'approved'",
    );
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ id }) => ids.has(id))).toEqual([]);
  });

  it("neither repeats nor skips a row while others come and go", async () => {
    await count((category) => category.length * 20);
    const before = await readAll("limit=40");
    const removed = new Set<string>();
    const during = await readAll("limit=40", async (page) => {
      await market.admin.script(`insert into listings
          (id, seller_id, category_id, name, description, location, price_minor, status, created_at)
        select gen_random_uuid(), seller_id, category_id, 'new', '', location, 1, 'approved',
          (select max(created_at) from listings) + interval '1 day' from listings tablesample bernoulli (2)`);
      const victim = before[(page * 29) % before.length] ?? "";
      removed.add(victim);
      await market.admin.query("delete from listings where id = $1::uuid", [victim]);
    });
    expect(new Set(during).size).toBe(during.length);
    const seen = new Set(during);
    expect(before.filter((id) => !removed.has(id) && !seen.has(id))).toEqual([]);
    expect((await readAll("limit=40")).length).toBeGreaterThan(before.length);
  });

  it("refuses a cursor of a search, and one whose time or place is none", async () => {
    const { body } = await market.get("/api/public/listings/search?limit=5");
    const id = "00000000-0000-8000-8000-000000000001";
    const at = "2026-01-31T00:00:00.000123Z";
    for (const cursor of [
      body.page.next_cursor,
      forged(at, id),
      forged(at, "1", id),
      forged("2026-02-30T00:00:00.000000Z", 1, id),
    ]) {
      const reply = await market.get(`${recommended}?cursor=${cursor}`);
      expect([reply.status, reply.body.error.fields?.[0]?.path]).toEqual([400, "query.cursor"]);
    }
    // What PostgreSQL cannot count to is before all, or after.
    for (const [year, place] of [
      ["0001", -1e300],
      ["9999", 1e300],
      ["9999", -1e300],
      ["0001", 1e300],
    ] as const) {
      const reply = await market.get(`${recommended}?cursor=${forged(`${year}-01-01T00:00:00.000000Z`, place, id)}`);
      expect([year, place, reply.status]).toEqual([year, place, 200]);
    }
  });
});

describe("the statement behind it", () => {
  beforeAll(async () => {
    // By the thousand, and one category that nobody offers anything of.
    await market.admin.script(`
      insert into listings (id, seller_id, category_id, name, description, location, price_minor, status, created_at)
      select gen_random_uuid(), seller_id, category_id, name, '', location, price_minor, status,
        created_at - n * interval '1 minute'
      from listings, generate_series(1, 20) n;
      insert into categories (id, slug, name) values (gen_random_uuid(), 'nothing-yet', 'Nothing yet');
      analyze`);
    await count((category) => category.length * 200);
  });

  it("reads no more rows on page 60 than on the first, and never what it has to sort", async () => {
    let cursor: string | undefined;
    const pages: Awaited<ReturnType<typeof readBy>>[] = [];
    for (let page = 1; page <= 60; page += 1) {
      const read = await readBy({ limit: 100, cursor });
      pages.push(read);
      cursor = read.nextCursor;
    }
    expect(cursor).toBeTypeOf("string");
    const { rows } = await market.admin.query("select from categories");
    // Of each category as many as a page has, and where the planner takes the newest of all for those of a common
    // category, as many others as are between them.
    const most = rows.length * 101 * 2;
    expect(pages.map(({ read }, index) => [index, read > most])).toEqual(pages.map((_page, index) => [index, false]));
    expect(Math.max(...pages.map(({ sorted }) => sorted))).toBeLessThanOrEqual(rows.length * 101);
  });

  it("reads what is in one place alone where that is asked for", async () => {
    const { read, indexes } = await readBy({ limit: 20, location: "lagos" });
    expect(indexes).toContain("idx_listings_category_location");
    expect(read).toBeLessThan(13 * 21 * 2);
  });

  interface Plan {
    readonly "Node Type": string;
    readonly "Index Name"?: string;
    readonly "Relation Name"?: string;
    readonly "Actual Rows": number;
    readonly "Actual Loops": number;
    readonly "Rows Removed by Filter"?: number;
    readonly Plans?: readonly Plan[];
  }

  /** How a page is read: by which indexes, how many rows are looked at, and what the largest sort takes in. */
  async function readBy(request: { limit: number; cursor?: string | undefined; location?: string }) {
    const nodes: Plan[] = [];
    const collect = (plan: Plan): void => {
      nodes.push(plan);
      plan.Plans?.forEach(collect);
    };
    const explaining = listingRepository({
      ...market.admin,
      async query(text, params) {
        const explained = await market.admin.query<{ "QUERY PLAN": readonly { Plan: Plan }[] }>(
          `explain (analyze, format json) ${text}`,
          params,
        );
        explained.rows[0]?.["QUERY PLAN"].forEach(({ Plan: plan }) => collect(plan));
        return market.admin.query(text, params);
      },
    });
    const { nextCursor } = await explaining.recommended(request);
    const scans = nodes.filter((plan) => plan["Relation Name"] === "listings");
    const rowsOf = (plan: Plan) => (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"];
    const sorts = nodes.filter((plan) => plan["Node Type"] === "Sort").flatMap((plan) => plan.Plans ?? []);
    return {
      nextCursor: nextCursor ?? undefined,
      indexes: nodes.flatMap((plan) => plan["Index Name"] ?? []),
      read: scans.reduce((sum, plan) => sum + rowsOf(plan), 0),
      sorted: Math.max(...sorts.map((plan) => plan["Actual Rows"])),
    };
  }
});
