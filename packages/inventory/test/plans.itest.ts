import { afterAll, beforeAll, expect, it } from "vitest";

import { createInventory } from "../src/index.ts";
import { uuid } from "./ids.ts";
import { openStock, type TestStock } from "./support.ts";

let stock: TestStock;
beforeAll(async () => {
  stock = await openStock();
});
afterAll(() => stock[Symbol.asyncDispose]());

const functions: Readonly<Record<string, (ids: readonly string[]) => readonly [call: string, params: unknown[]]>> = {
  "a batch": (ids) => ["inventory_reserve_batch('a', $1, $2, 60000)", [ids, ids.map(() => 1)]],
  "a reservation": ([id]) => ["inventory_reserve($1, array['a'], array[1], 60000, null, null)", [id]],
  "a restock": ([key]) => ["inventory_move('a', 'restock', 1, $1)", [key]],
  "a confirmation": (ids) => ["inventory_resolve($1, 'confirmed', 'reject', null)", [ids]],
};

it.each(Object.entries(functions))(
  "%s reads as little by a plan that was made while all tables were small",
  async (_title, callOf) => {
    await stock.clear();
    await createInventory({ store: stock.store }).restock({ productId: "a", quantity: 1000, key: "a" });
    const client = await stock.pool.connect();
    try {
      // Statistics as they are after a nap of autovacuum: there is hardly anything.
      await client.query("vacuum analyze");
      const pagesRead = async (): Promise<number> => {
        const [call, params] = callOf([uuid(), uuid()]);
        const { rows } = await client.query<{
          readonly "QUERY PLAN": readonly [{ readonly Plan: Record<string, number> }];
        }>(`explain (analyze, buffers, format json) select sluice.${call}`, params);
        const plan = rows[0]?.["QUERY PLAN"][0].Plan;
        return (plan?.["Shared Hit Blocks"] ?? 0) + (plan?.["Shared Read Blocks"] ?? 0);
      };
      // From the sixth call on, a session keeps its plan.
      for (let call = 0; call < 7; call += 1) await pagesRead();
      const before = await pagesRead();
      await stock.db.query(
        `with grown as (
         insert into sluice.inventory_reservation (id, state, fingerprint, expires_at, resolved_at)
         select gen_random_uuid(), 'released', '', now(), now() from generate_series(1, 30000) returning id
       ), moved as (
         insert into sluice.inventory_movement (product_id, kind, delta, dedupe)
         select 'a', 'sale', -1, id::text from grown)
       insert into sluice.inventory_line select id, 'a', 1 from grown`,
      );
      expect(await pagesRead()).toBeLessThan(before + 60);
    } finally {
      client.release();
    }
  },
);
