import type { SqlDatabase } from "@sluice/postgres";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import type { Stock } from "../../infra/inventory.ts";
import type { Mailer } from "../../infra/mail/mailer.ts";
import { sendEach } from "../../infra/mail/send-once.ts";
import type { DataOf, Queue } from "../../infra/queue.ts";
import { stockedProducts } from "./repository.ts";
import { stockRoutes } from "./routes.ts";
import { stockService } from "./service.ts";
import { alertMail, checkLowStock, deliverAlerts, keepStock } from "./upkeep.ts";

export { stockedProducts } from "./repository.ts";

/** Stock of products, and what keeps it in order. All work is safe to run twice. */
export interface StockModule {
  readonly routes: (server: Server) => void;
  /** Hands over what has become low. */
  readonly deliverAlerts: () => Promise<void>;
  /** The work of the job `stock_alert_email`. */
  readonly mailAlerts: (jobs: readonly DataOf<"stock_alert_email">[]) => Promise<void>;
  /** The work of the job `low_stock_check`. */
  readonly checkLow: () => Promise<void>;
  /** The work of the job `inventory_cache_sync`: sets the hints in Redis to what PostgreSQL says. */
  readonly syncCache: () => Promise<void>;
  /** The work of the job `inventory_upkeep`. */
  readonly keep: () => Promise<void>;
}

/** What stock stands on. */
export interface StockModuleOptions {
  readonly sql: SqlDatabase;
  readonly stock: Stock;
  readonly guards: Guards;
  readonly queue: Queue;
  readonly mailer: Mailer;
  /** Who is told each day what is low. */
  readonly adminEmail: string | undefined;
}

/** Stock over a database. */
export function stockModule({ sql, stock, guards, queue, mailer, adminEmail: to }: StockModuleOptions): StockModule {
  const service = stockService(stock, stockedProducts(sql));
  return {
    routes: (server) => stockRoutes(server, service, guards),
    deliverAlerts: () => deliverAlerts(stock, queue),
    mailAlerts: (jobs) => sendEach(sql, mailer, jobs.map(alertMail)),
    checkLow: () => checkLowStock({ sql, stock, mailer, to }),
    syncCache: async () => void (await stock.reconcile()),
    keep: () => keepStock(stock),
  };
}
