import { withTransaction, type SqlDatabase } from "@sluice/postgres";

import type { Stock } from "../../infra/inventory.ts";
import { orderDesk } from "./repository.ts";

/**
 * Ends orders that nobody has paid for in time, and gives their units back in the same transaction; then holds that no
 * order belongs to. Any number of processes may do it at once. @returns the most that either was.
 */
export async function expireOrders(
  sql: SqlDatabase,
  stock: Pick<Stock, "release" | "expire">,
  limit: number,
): Promise<number> {
  const orders = await withTransaction(sql, async (transaction) => {
    const desk = orderDesk(transaction);
    const due = await desk.holdDue(limit);
    if (due.length === 0) return 0;
    await stock.release(due, transaction, "expired");
    await desk.set(due, "expired");
    return due.length;
  });
  return Math.max(orders, await stock.expire(limit));
}
