import { createInventory, type Inventory, type InventoryOptions, type Strategy } from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";
import { redisAdmission } from "@sluice/inventory/redis";
import { createLocks } from "@sluice/lock";
import { redisStore } from "@sluice/lock/redis";
import type { SqlDatabase, SqlTransaction } from "@sluice/postgres";
import type { Redis } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";

import { schema } from "./database.ts";

/** Stock in the marketplace's own database. */
export type Stock = Inventory<SqlTransaction>;

/** Stock, and what it was connected to. */
export interface StockRoom extends AsyncDisposable {
  readonly stock: Stock;
  /** The same stock, on connections that nobody else waits for. */
  readonly crowdStock: Pick<Stock, "flash">;
}

/** How stock is kept. */
export interface StockOptions {
  /** For whoever buys in a crowd: a few connections are enough. */
  readonly crowdSql: SqlDatabase;
  readonly strategy: Strategy;
  /** How long units are held for an order that is not paid for yet. */
  readonly holdTtlMs: number;
  /** Where hints and locks are. Undefined: there are none, and PostgreSQL is asked each time. */
  readonly redisUrl: string | undefined;
}

/** Opens the stock of a database. PostgreSQL decides; Redis only spares it questions, and may be away or wrong. */
export function openStock(sql: SqlDatabase, { crowdSql, strategy, holdTtlMs, redisUrl }: StockOptions): StockRoom {
  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, role: "inventory" });
  const options = {
    reservationTtlMs: holdTtlMs,
    // Whoever has paid gets it, late or not, as long as it is there.
    lateConfirm: "reacquire",
    afterConflicts: "give-up",
    ...(redis && sharedBy(redis, strategy)),
  } satisfies Partial<InventoryOptions<SqlTransaction>>;
  return {
    stock: createInventory({ ...options, store: postgresStore(sql, { schema }) }),
    crowdStock: createInventory({ ...options, store: postgresStore(crowdSql, { schema }) }),
    [Symbol.asyncDispose]: async () => redis?.close(),
  };
}

function sharedBy(redis: Redis, strategy: Strategy): Partial<InventoryOptions<SqlTransaction>> {
  const admission = redisAdmission(redis);
  return strategy === "dual" ? { admission, lock: createLocks({ store: redisStore(redis) }) } : { admission };
}

/** Stock for the one who fills an empty database. */
export function seedingStock(sql: SqlDatabase): Pick<Stock, "restock"> {
  return createInventory({ store: postgresStore(sql, { schema }) });
}
