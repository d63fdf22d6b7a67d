// One hot product: reservations through a flash lane, against one transaction per buyer, the best single statement per
// buyer, and a counter in Redis, which is not durable. The number of buyers that wait is that of the lane's callers; the
// others have as many connections as helps them.
import { once } from "node:events";

import { createInventory } from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";
import { startRedis } from "@sluice/testing/services";
import { Redis as Ioredis } from "ioredis";

import { startDurablePostgres } from "./support/durable-postgres.ts";
import { interleaved, median, rounded } from "./support/interleaved.ts";
import { naiveBuyer, naiveTables, statementBuyer } from "./support/naive-stock.ts";

const quick = process.argv.includes("--quick");
// A warm-up fills the tables, too, and what they hold is not what is compared.
const warmUpMs = 500;
const extent = quick ? { rounds: 3, roundMs: 400, warmUpMs } : { rounds: 9, roundMs: 1500, warmUpMs };

await using server = await startDurablePostgres();
const redis = await startRedis({ origin: "local" });
try {
  const [own, wide, narrow] = [server.pool(2), server.pool(64), server.pool(8)];
  await own.db.script(naiveTables);
  const bare = new Ioredis(redis.url);
  await once(bare, "ready");
  const inventory = createInventory({ store: postgresStore(own.db) });
  await inventory.restock({ productId: "hot", quantity: 1_000_000_000, key: "bench" });
  const flash = inventory.flash({ deadlineMs: 60_000 });
  const ours = async (): Promise<void> => {
    const { status } = await flash.reserve({ id: crypto.randomUUID(), lines: [{ productId: "hot", quantity: 1 }] });
    if (status !== "reserved") throw new Error(status);
  };
  const naive = () => naiveBuyer(wide.pool, "hot");
  const decrby = () => bare.decrby("hot", 1);

  const at64 = await interleaved(
    {
      ours,
      naive,
      "statement@64": () => statementBuyer(wide.pool, "hot"),
      "statement@8": () => statementBuyer(narrow.pool, "hot"),
    },
    { ...extent, inFlight: 64 },
  );
  const at1000 = await interleaved({ ours, naive }, { ...extent, inFlight: 1000 });
  // Each side at its own number of callers, in turns.
  const limits: number[] = [];
  const limitRates: number[] = [];
  for (let round = 0; round < extent.rounds; round += 1) {
    const turn = { rounds: 1, roundMs: extent.roundMs, warmUpMs };
    const crowd = await interleaved({ ours }, { ...turn, inFlight: 1000 });
    const counter = await interleaved({ decrby }, { ...turn, inFlight: 64 });
    limits.push((crowd.perSecond["ours"] ?? 0) / (counter.perSecond["decrby"] ?? 0));
    limitRates.push(counter.perSecond["decrby"] ?? 0);
  }
  const violations = await inventory.verify();
  if (violations.length > 0) throw new Error(`violations: ${JSON.stringify(violations)}`);

  const best = Math.min(at64.ratios["statement@64"] ?? 0, at64.ratios["statement@8"] ?? 0);
  if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
  const line = {
    bench: "inventory-hot",
    ours: { "@64": at64.perSecond["ours"], "@1000": at1000.perSecond["ours"] },
    limit: median(limitRates),
    peers: {
      "naive@64": at64.perSecond["naive"],
      "statement, 64 connections": at64.perSecond["statement@64"],
      "statement, 8 connections": at64.perSecond["statement@8"],
      "naive@1000": at1000.perSecond["naive"],
    },
    ratios: {
      "naive@64": at64.ratios["naive"],
      "best-statement@64": best,
      "naive@1000": at1000.ratios["naive"],
      limit: rounded(median(limits)),
    },
  };
  await flash.close();
  bare.disconnect();
  console.log(JSON.stringify(line));
} finally {
  await redis.stop();
}
