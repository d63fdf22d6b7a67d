import { withTransaction, type SqlDatabase } from "@sluice/postgres";

import type { Stock } from "../../infra/inventory.ts";
import type { DataOf, Queue } from "../../infra/queue.ts";
import { orderDesk, orderRepository } from "./repository.ts";

/** Whoever takes the money. */
export interface Payments {
  /** Charges for orders, once each however often it is asked. Resolves when they are paid. */
  charge(orderIds: readonly string[]): Promise<void>;
}

/** What confirmations stand on. */
export interface ConfirmationGround {
  readonly sql: SqlDatabase;
  readonly stock: Pick<Stock, "confirm">;
  readonly queue: Pick<Queue, "enqueue">;
  readonly payments: Payments;
}

/**
 * The work of the job `order_confirm`: charges, then sells the units, confirms the orders and adds the jobs of their
 * mails in one transaction. Safe to run twice: an order that is not open any more is left alone, and nobody pays for it.
 * One that was paid for after its units had gone to others expires.
 */
export async function confirmOrders(
  { sql, stock, queue, payments }: ConfirmationGround,
  jobs: readonly DataOf<"order_confirm">[],
): Promise<void> {
  const wanted = await orderRepository(sql).openOf([...new Set(jobs.map(({ order_id: id }) => id))]);
  if (wanted.length === 0) return;
  await payments.charge(wanted);
  await withTransaction(sql, async (transaction) => {
    const desk = orderDesk(transaction);
    const open = await desk.holdOpen(wanted);
    if (open.length === 0) return;
    const resolutions = await stock.confirm(open, transaction);
    const idsOf = (isSold: boolean): readonly string[] =>
      resolutions.filter(({ status }) => (status === "confirmed") === isSold).map(({ id }) => id);
    const confirmed = idsOf(true);
    await desk.set(confirmed, "confirmed");
    await desk.set(idsOf(false), "expired");
    const mails = confirmed.map((id) => ({ order_id: id }));
    await queue.enqueue(transaction, "order_email", mails);
  });
}
