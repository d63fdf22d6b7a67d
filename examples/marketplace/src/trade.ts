import { systemClock } from "@sluice/core";
import { createReaper, type Reaper } from "@sluice/inventory";

import type { Config, Role } from "./config/config.ts";
import type { Log } from "./http/log.ts";
import type { Guards } from "./http/principal.ts";
import type { Server } from "./http/server.ts";
import { createDatabase, type Database } from "./infra/database.ts";
import { openStock } from "./infra/inventory.ts";
import { createMailer } from "./infra/mail/mailer.ts";
import { createQueue } from "./infra/queue.ts";
import { includes, startJobs, type JobWork } from "./jobs.ts";
import { flashModule } from "./modules/flash/index.ts";
import { ordersModule, type OrdersModule, type OrderService } from "./modules/orders/index.ts";
import { stockModule, type StockModule } from "./modules/stock/index.ts";

/** All that sells: stock, orders and flash sales, and the jobs behind them. */
export interface Trade {
  readonly routes: readonly ((server: Server) => void)[];
  /** For what else places orders. */
  readonly orders: OrderService;
  /** Begins to work on jobs, as far as the role includes that. */
  start(): Promise<void>;
  /** Lets the jobs under way finish, for `timeoutMs` at most. Nothing may be sold any more by then. */
  stop(timeoutMs: number): Promise<void>;
}

/** What trade stands on. */
export interface TradeOptions {
  readonly role: Role;
  readonly databaseUrls: readonly string[];
  readonly database: Database;
  readonly guards: Guards;
  readonly log: Log;
  /** The work of jobs that are not about trade. */
  readonly otherWork: Pick<JobWork, "catalog_rollup" | "session_gc">;
}

// Expired orders keep units from others, and sellers want to know what has become low.
const sweepEveryMs = 2000;
const sweptAtOnce = 500;
// As many as the lane has batches under way. They are its own: behind a crowd that asks who it is, it would wait too long.
const crowdConnections = 2;

/** Makes and connects everything that sells. */
export async function openTrade(config: Config, options: TradeOptions): Promise<Trade> {
  const { role, databaseUrls: urls, database, guards, log, otherWork } = options;
  const queue = await createQueue({
    urls,
    log,
    schedules: includes(role, "cron"),
    supervises: includes(role, "worker"),
  });
  const { strategy, holdTtlMs, paymentMs, smtpUrl, mailFrom } = config.orders;
  const { sql } = database;
  const crowd = createDatabase(urls, { ...config.database, poolMax: crowdConnections }, log);
  const room = openStock(sql, { crowdSql: crowd.sql, strategy, holdTtlMs, redisUrl: config.redis.inventoryUrl });
  const mailer = createMailer({ smtpUrl, mailFrom, log });
  const shared = { sql, stock: room.stock, queue, mailer, guards, clock: systemClock, strategy, holdTtlMs };
  const needsKey = config.features.idempotencyEnforcement;
  const stock = stockModule({ ...shared, adminEmail: config.auth.admin?.email });
  const orders = ordersModule({ ...shared, paymentMs, needsKey });
  const flash = flashModule({
    ...shared,
    crowdStock: room.crowdStock,
    orders: orders.service,
    placing: { holdTtlMs, queue },
  });
  let sweeper: Reaper | undefined;

  async function sweep(limit = sweptAtOnce): Promise<number> {
    const ended = await orders.expire(limit);
    await stock.deliverAlerts();
    return ended;
  }

  return {
    routes: [stock.routes, orders.routes, flash.routes],
    orders: orders.service,
    async start() {
      await startJobs(queue, role, { ...otherWork, ...workOf(stock, orders) });
      if (includes(role, "worker")) sweeper = createReaper({ expire: sweep }, { everyMs: sweepEveryMs });
    },
    async stop(timeoutMs) {
      await Promise.all([sweeper?.close(), flash[Symbol.asyncDispose]()]);
      await queue.stop(timeoutMs);
      await Promise.all([mailer, room, crowd].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

function workOf(stock: StockModule, orders: OrdersModule): Omit<JobWork, keyof TradeOptions["otherWork"]> {
  return {
    order_confirm: orders.confirm,
    order_email: orders.mail,
    stock_alert_email: stock.mailAlerts,
    low_stock_check: stock.checkLow,
    inventory_cache_sync: stock.syncCache,
    inventory_upkeep: stock.keep,
  };
}
