// Ten thousand buyers at once on a thousand units: exactly a thousand get one. Ours through the library, on the full
// schema; against it, one transaction per buyer on 64 connections.
import { createInventory } from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";

import { startDurablePostgres } from "./support/durable-postgres.ts";
import { median, rounded } from "./support/interleaved.ts";
import { naiveBuyer, naiveTables } from "./support/naive-stock.ts";

const quick = process.argv.includes("--quick");
const [buyers, units, rounds] = quick ? [10_000, 1000, 2] : [10_000, 1000, 7];

/** What a burst came to: how long the winners waited, at the 99th percentile, and everybody. */
interface Burst {
  readonly p99Ms: number;
  readonly allMs: number;
}

async function burst(buy: () => Promise<boolean>): Promise<Burst> {
  const startedMs = performance.now();
  const won: number[] = [];
  const one = async (): Promise<void> => {
    if (await buy()) won.push(performance.now() - startedMs);
  };
  await Promise.all(Array.from({ length: buyers }, one));
  if (won.length !== units) throw new Error(`${won.length} won, not ${units}`);
  const p99Ms = won.toSorted((a, b) => a - b)[Math.ceil(units * 0.99) - 1] ?? 0;
  return { p99Ms, allMs: performance.now() - startedMs };
}

await using server = await startDurablePostgres();
const [own, wide] = [server.pool(2), server.pool(64)];
await own.db.script(naiveTables);
const inventory = createInventory({ store: postgresStore(own.db) });
const flash = inventory.flash({ deadlineMs: 60_000 });
await Promise.all(Array.from({ length: 64 }, () => wide.pool.query("select 1")));

const ours: Burst[] = [];
const naive: Burst[] = [];
// The first round warms up.
for (let round = 0; round <= rounds; round += 1) {
  const productId = `round ${round}`;
  await inventory.restock({ productId, quantity: units, key: productId });
  await own.db.query("insert into naive_stock values ($1, $2)", [productId, units]);
  const lines = [{ productId, quantity: 1 }];
  const library = await burst(async () => {
    const { status } = await flash.reserve({ id: crypto.randomUUID(), fresh: true, lines });
    return status === "reserved";
  });
  const plain = await burst(() => naiveBuyer(wide.pool, productId));
  if (round === 0) continue;
  ours.push(library);
  naive.push(plain);
}
const violations = await inventory.verify();
if (violations.length > 0) throw new Error(`violations: ${JSON.stringify(violations)}`);
await flash.close();

const middle = (bursts: readonly Burst[], of: keyof Burst): number =>
  Math.round(median(bursts.map((each) => each[of])));
const ratio = median(ours.map(({ p99Ms }, round) => (naive[round]?.p99Ms ?? 0) / p99Ms));
if (quick) console.log(`quick: ${rounds} rounds`);
console.log(`each of ${rounds} rounds: ${buyers} buyers, exactly ${units} reserved`);
const line = {
  bench: "inventory-burst",
  ours: { winnersP99Ms: middle(ours, "p99Ms"), allAnsweredMs: middle(ours, "allMs") },
  limit: null,
  peers: { naive: { winnersP99Ms: middle(naive, "p99Ms"), allAnsweredMs: middle(naive, "allMs") } },
  ratios: { naive: rounded(ratio) },
};
console.log(JSON.stringify(line));
