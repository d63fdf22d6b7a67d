// Confirming reservations of one product in batches of 500, against one by one with 16 in flight.
import { createInventory } from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";

import { startDurablePostgres } from "./support/durable-postgres.ts";
import { median, rounded } from "./support/interleaved.ts";

const quick = process.argv.includes("--quick");
const { rounds, batches, singles } = quick
  ? { rounds: 3, batches: 10, singles: 400 }
  : { rounds: 9, batches: 20, singles: 1000 };
const size = 500;

await using server = await startDurablePostgres();
const { db } = server.pool(16);
const inventory = createInventory({ store: postgresStore(db), reservationTtlMs: 3_600_000 });
await inventory.restock({ productId: "hot", quantity: 1_000_000_000, key: "bench" });
const flash = inventory.flash({ deadlineMs: 60_000 });

async function held(count: number): Promise<readonly string[]> {
  const reserved = await Promise.all(
    Array.from({ length: count }, () =>
      flash.reserve({ id: crypto.randomUUID(), lines: [{ productId: "hot", quantity: 1 }] }),
    ),
  );
  return reserved.map(({ id }) => id);
}

async function confirmed(ids: readonly string[]): Promise<void> {
  const resolutions = await inventory.confirm(ids);
  if (resolutions.some(({ changed }) => !changed)) throw new Error("not confirmed");
}

async function inBatches(ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += size) await confirmed(ids.slice(from, from + size));
}

async function oneByOne(ids: readonly string[]): Promise<void> {
  const rest = [...ids];
  const worker = async (): Promise<void> => {
    for (let id = rest.pop(); id !== undefined; id = rest.pop()) await confirmed([id]);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function rate(ids: readonly string[], confirm: (ids: readonly string[]) => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await confirm(ids);
  return (ids.length / (performance.now() - startedMs)) * 1000;
}

const ours: number[] = [];
const single: number[] = [];
// The first round warms up.
for (let round = 0; round <= rounds; round += 1) {
  const [many, few] = [await held(batches * size), await held(singles)];
  const [batched, alone] = [await rate(many, inBatches), await rate(few, oneByOne)];
  if (round === 0) continue;
  ours.push(batched);
  single.push(alone);
}
const violations = await inventory.verify();
if (violations.length > 0) throw new Error(`violations: ${JSON.stringify(violations)}`);
await flash.close();

if (quick) console.log(`quick: ${rounds} rounds of ${batches} batches`);
const line = {
  bench: "inventory-confirm",
  ours: Math.round(median(ours)),
  limit: null,
  peers: { "one-by-one": Math.round(median(single)) },
  ratios: { "one-by-one": rounded(median(ours.map((each, round) => each / (single[round] ?? 0)))) },
};
console.log(JSON.stringify(line));
