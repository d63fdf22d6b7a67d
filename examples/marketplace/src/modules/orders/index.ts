import type { Clock } from "@sluice/core";
import type { Strategy } from "@sluice/inventory";
import type { SqlDatabase } from "@sluice/postgres";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import type { Stock } from "../../infra/inventory.ts";
import type { Mailer } from "../../infra/mail/mailer.ts";
import { sendEach } from "../../infra/mail/send-once.ts";
import type { DataOf, Queue } from "../../infra/queue.ts";
import { stockedProducts } from "../stock/index.ts";
import { confirmOrders } from "./confirmation.ts";
import { expireOrders } from "./expiry.ts";
import { orderMail } from "./order-mail.ts";
import { orderRepository } from "./repository.ts";
import { orderRoutes } from "./routes.ts";
import { orderService, type OrderService } from "./service.ts";
import { simulatedPayments } from "./simulated-payments.ts";

export { idempotentHeaders, orderIdOf } from "./order-id.ts";
export { productId, quantity } from "./order.ts";
export { placeOrders, type Placing } from "./place-orders.ts";
export type { Accepted } from "./reserve-outcome.ts";
export type { OrderService } from "./service.ts";

/** Orders: how they are placed, confirmed and told about. */
export interface OrdersModule {
  readonly routes: (server: Server) => void;
  /** For what else places orders. */
  readonly service: OrderService;
  /** The work of the job `order_confirm`. Safe to run twice. */
  readonly confirm: (jobs: readonly DataOf<"order_confirm">[]) => Promise<void>;
  /** The work of the job `order_email`. Safe to run twice. */
  readonly mail: (jobs: readonly DataOf<"order_email">[]) => Promise<void>;
  /** Ends orders that nobody has paid for in time. @returns how many, up to the limit. */
  readonly expire: (limit: number) => Promise<number>;
}

/** What orders stand on. */
export interface OrdersModuleOptions {
  readonly sql: SqlDatabase;
  readonly stock: Stock;
  readonly queue: Queue;
  readonly mailer: Mailer;
  readonly clock: Clock;
  readonly guards: Guards;
  readonly strategy: Strategy;
  readonly holdTtlMs: number;
  readonly paymentMs: number;
  /** Whether an order needs an `Idempotency-Key`. */
  readonly needsKey: boolean;
}

/** Orders over a database and its stock. */
export function ordersModule(options: OrdersModuleOptions): OrdersModule {
  const { sql, stock, queue, mailer, clock, guards, strategy, holdTtlMs, paymentMs, needsKey } = options;
  const service = orderService({
    sql,
    stock,
    strategy,
    repository: orderRepository(sql),
    placing: { holdTtlMs, queue },
    isForSale: (productId) => stockedProducts(sql).isForSale(productId),
  });
  const payments = simulatedPayments(clock, paymentMs);
  return {
    routes: (server) => orderRoutes(server, service, { guards, needsKey }),
    service,
    confirm: (jobs) => confirmOrders({ sql, stock, queue, payments }, jobs),
    mail: (jobs) => sendEach(sql, mailer, jobs.map(orderMail)),
    expire: (limit) => expireOrders(sql, stock, limit),
  };
}
