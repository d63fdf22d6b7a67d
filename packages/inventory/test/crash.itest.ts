import { fork } from "node:child_process";
import { once } from "node:events";

import { fromPg, migrate, type SqlDatabase } from "@sluice/postgres";
import { findEmbeddedPostgres, findPostgres, launchPostgres, type LaunchedPostgres } from "@sluice/testing/services";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { inventoryMigrations } from "../src/postgres.ts";
import { ordersTable, scenarioOf, scenarios, shopOf, type Sale } from "./fixtures/crash-scenarios.ts";
import type { Crash, Told } from "./fixtures/crashing-shop.ts";
import { steppedDatabase } from "./fixtures/stepped-database.ts";
import { uuid } from "./ids.ts";
import { quietPool } from "./support.ts";
import { until } from "./until.ts";

const buyers = 2;
const names = Object.keys(scenarios) as Sale["scenario"][];
let server: LaunchedPostgres;

// Durable, since what is tested is what survives.
beforeAll(async () => {
  const native = (await findPostgres()) ?? (await findEmbeddedPostgres()) ?? "";
  server = await launchPostgres({ native, settings: { max_connections: 400 } });
  const pool = quietPool(server.url, 1);
  await migrate(fromPg(pool), { package: "inventory", migrations: await inventoryMigrations() });
  await pool.query(ordersTable);
  await pool.end();
});
afterAll(() => server.stop());

describe.each([
  ["with functions", false],
  ["without functions", true],
])("stock in PostgreSQL %s, whose process is killed between every two steps", (kind, plain) => {
  it("loses nothing that was acknowledged, does nothing twice, and refuses nobody afterwards", async () => {
    const pool = quietPool(server.url);
    onTestFinished(() => pool.end());
    const db = fromPg(pool);
    const { inventory } = shopOf(db, { plain });

    async function begin(scenario: Sale["scenario"], step: string): Promise<Sale> {
      const productId = `${kind}, ${scenario}: ${step}`;
      const sale: Sale = { scenario, productId, plain, ids: Array.from({ length: buyers }, uuid) };
      await inventory.restock({ productId, quantity: buyers, key: productId });
      await scenarioOf(sale).begins?.(shopOf(db, sale), sale);
      return sale;
    }

    async function crashesOf(scenario: Sale["scenario"]): Promise<readonly Crash[]> {
      const steps = await stepsOf(await begin(scenario, "uninterrupted"));
      expect(steps.at(-1)).toBe("acknowledged");
      const crash = async (step: string, standsAt: number): Promise<Crash> => ({
        sale: await begin(scenario, `${standsAt} ${step}`),
        standsAt,
      });
      return Promise.all(steps.map(crash));
    }

    const crashes = (await Promise.all(names.map(crashesOf))).flat();
    const sales = crashes.map(({ sale }) => sale);
    expect(new Set(sales.map(({ scenario }) => scenario)).size).toBe(names.length);
    const acknowledged = await killed(crashes);
    expect(acknowledged.size).toBeGreaterThan(names.length);
    const afterwards = await statesOf(db, sales);
    const isKept = ({ id, ends, state }: State): boolean => !acknowledged.has(id) || state === ends;
    expect(afterwards.filter((each) => !isKept(each) || !each.isWhole)).toEqual([]);
    expect(await inventory.verify()).toEqual([]);

    // Everybody asks again by the same id, and nobody is refused: there are as many units as buyers.
    const again: string[] = [];
    const know = async (id: string): Promise<void> => void again.push(id);
    await Promise.all(sales.map((sale) => scenarioOf(sale).run(shopOf(db, sale), sale, know)));
    expect(again.toSorted()).toEqual(sales.flatMap(({ ids }) => ids).toSorted());
    const final = await statesOf(db, sales);
    expect(final.filter(({ state, ends, units, isWhole }) => state !== ends || units !== 1 || !isWhole)).toEqual([]);
    const left = { open: [buyers, buyers], confirmed: [0, 0], released: [buyers, 0] };
    const levels = new Map(sales.map((sale) => [sale.productId, left[scenarioOf(sale).ends]]));
    for (const { productId, onHand, reserved } of await inventory.levels([...levels.keys()]))
      expect([productId, onHand, reserved]).toEqual([productId, ...(levels.get(productId) ?? [])]);
    expect(await inventory.verify()).toEqual([]);
  });
});

interface State {
  readonly id: string;
  readonly product: string;
  /** Where its scenario leaves it. */
  readonly ends: string;
  readonly state: string | null;
  readonly units: number;
  /** Its order is there, and paid, exactly as far as its reservation is. */
  readonly isWhole: boolean;
}

async function statesOf(db: SqlDatabase, sales: readonly Sale[]): Promise<readonly State[]> {
  const all = sales.flatMap((sale) => sale.ids.map((id) => ({ id, sale, ...scenarioOf(sale) })));
  const { rows } = await db.query<State>(
    `select a.id::text, a.product, a.ends, r.state, coalesce(l.quantity, 0)::int as units,
       not a.orders or ((o.id is null) = (r.id is null) and coalesce(o.is_paid, false) = coalesce(r.state = 'confirmed', false))
         as "isWhole"
     from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[]) as a (id, product, ends, orders)
     left join sluice.inventory_reservation r on r.id = a.id
     left join sluice.inventory_line l on l.reservation_id = a.id
     left join shop_order o on o.id = a.id`,
    [
      all.map(({ id }) => id),
      all.map(({ sale }) => sale.productId),
      all.map(({ ends }) => ends),
      all.map(({ hasOrders = false }) => hasOrders),
    ],
  );
  return rows;
}

async function stepsOf(sale: Sale): Promise<readonly string[]> {
  const pool = quietPool(server.url, 2);
  onTestFinished(() => pool.end());
  const steps: string[] = [];
  const noting = async (step: string): Promise<void> => void steps.push(step);
  const db = steppedDatabase(pool, noting);
  await scenarioOf(sale).run(shopOf(db, sale), sale, () => noting("acknowledged"));
  return steps;
}

/** What a process had acknowledged that was killed when each of its sales stood at its step. */
async function killed(crashes: readonly Crash[]): Promise<ReadonlySet<string>> {
  const child = fork(new URL("fixtures/crashing-shop.ts", import.meta.url), [server.url], {
    execArgv: ["--conditions=sluice-source"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const acknowledged = new Set<string>();
  const standing = new Set<number>();
  child.on("message", (told) => {
    const message = told as Told;
    if ("stands" in message) standing.add(message.stands);
    else acknowledged.add(message.acknowledged);
  });
  child.send(crashes);
  await until(() => standing.size === crashes.length, 20_000);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  const pool = quietPool(server.url, 1);
  onTestFinished(() => pool.end());
  const sessions = "select 1 from pg_stat_activity where application_name = 'crashing shop'";
  await until(async () => (await pool.query(sessions)).rowCount === 0);
  return acknowledged;
}
