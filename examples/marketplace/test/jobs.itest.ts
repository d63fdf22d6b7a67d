import { beforeAll, describe, expect, it } from "vitest";

import { withAdministrator } from "../src/infra/database.ts";
import { createQueue, type Queue } from "../src/infra/queue.ts";
import { seededDatabase, startMarketplace } from "./support/marketplace.ts";

const log = { info: ignore, warn: ignore, error: ignore, debug: ignore };
let url: string;
beforeAll(async () => {
  url = await seededDatabase();
});

function ignore(): void {}

function openQueue(schedules: boolean): Promise<Queue> {
  return createQueue({ urls: [url], log, schedules, supervises: false });
}

/** How many jobs the queue has ever had. */
function jobsEver(): Promise<number> {
  return withAdministrator(url, async (database) => {
    const text = "select count(*)::integer as count from pgboss.job where name = 'catalog_rollup'";
    return (await database.query<{ count: number }>(text)).rows[0]?.count ?? 0;
  });
}

describe("jobs", () => {
  it("exist when, and only when, their transaction commits", async () => {
    const queue = await openQueue(false);
    await withAdministrator(url, async (database) => {
      const lost = database.transaction(async (transaction) => {
        await queue.enqueue(transaction, "catalog_rollup", [{}]);
        throw new Error("rolled back");
      });
      await expect(lost).rejects.toThrow("rolled back");
      expect(await jobsEver()).toBe(0);
      const [id = ""] = await database.transaction((transaction) => queue.enqueue(transaction, "catalog_rollup", [{}]));
      expect(await jobsEver()).toBe(1);
      await queue.cancel("catalog_rollup", id);
      expect(await queue.stats("catalog_rollup")).toMatchObject({ waiting: 0, active: 0 });
    });
    await queue.stop(1000);
  });

  it("count the catalog, as the routes then show it", async () => {
    await using market = await startMarketplace({ role: "all", databaseUrl: url });
    expect((await market.get("/api/categories")).body.data).toMatchObject({ counted_at: null });
    const queue = await openQueue(false);
    await withAdministrator(url, (database) =>
      database.transaction((transaction) => queue.enqueue(transaction, "catalog_rollup", [{}])),
    );
    await expect
      .poll(async () => (await market.get("/api/categories")).body.data, { timeout: 10_000 })
      .toMatchObject({ counted_at: expect.any(String) });
    await queue.stop(1000);
    const { rows } = await market.admin.query<{ products: number; listings: number; phones: number }>(`select
      (select count(*) from products where status = 'active')::integer as products,
      (select count(*) from listings where status = 'approved')::integer as listings,
      (select count(*) from products p join categories c on c.id = category_id where slug = 'phones' and status = 'active')::integer as phones`);
    const { categories } = (await market.get("/api/categories")).body.data as {
      categories: { slug: string; product_count: number; listing_count: number }[];
    };
    const sum = (count: "product_count" | "listing_count") => categories.reduce((total, one) => total + one[count], 0);
    expect([sum("product_count"), sum("listing_count")]).toEqual([rows[0]?.products, rows[0]?.listings]);
    const facets = (await market.get("/api/products/search/facets?category=phones")).body.data as {
      total: number;
      price_bands: { count: number }[];
    };
    expect(facets.total).toBe(rows[0]?.phones);
    expect(facets.price_bands.reduce((total, band) => total + band.count, 0)).toBe(rows[0]?.phones);
  });

  it("are added once per time, by however many processes", { timeout: 30_000 }, async () => {
    const before = await jobsEver();
    const queues = await Promise.all([openQueue(true), openQueue(true), openQueue(true)]);
    // Due in every minute, so that the next look at the schedule finds it due.
    await Promise.all(queues.map((queue) => queue.schedule("catalog_rollup", "* * * * *")));
    await expect.poll(() => jobsEver(), { timeout: 18_000 }).toBeGreaterThan(before);
    const minutes = await withAdministrator(url, async (database) => {
      const { rows } = await database.query<{ minutes: number; jobs: number }>(
        `select count(*)::integer as jobs, count(distinct data->>'slot')::integer as minutes
         from pgboss.job where name = '__pgboss__send-it' and data->>'name' = 'catalog_rollup'`,
      );
      return rows[0];
    });
    expect(minutes?.jobs).toBe(minutes?.minutes);
    expect((await jobsEver()) - before).toBeLessThanOrEqual(minutes?.minutes ?? 0);
    await Promise.all(queues.map((queue) => queue.stop(1000)));
  });
});
