import type { Config, Role } from "./config/config.ts";
import { documentation } from "./http/documentation.ts";
import { endConnections } from "./http/draining.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { answerOtherMethods } from "./http/methods.ts";
import { countRequests, metricsRoute } from "./http/metrics-route.ts";
import { traceRequests } from "./http/request-spans.ts";
import { createServer, refuseEarly, type Server } from "./http/server.ts";
import { watchDatabaseEvents } from "./infra/database-events.ts";
import { createDatabase, type Database } from "./infra/database.ts";
import { createMetrics } from "./infra/metrics.ts";
import { watchProcess } from "./infra/process-metrics.ts";
import { createQueue, jobNames, type JobName, type Queue } from "./infra/queue.ts";
import { createTelemetry, type Telemetry } from "./infra/telemetry.ts";
import { watchLimits } from "./limits/limit-events.ts";
import { limitRequests } from "./limits/limit-requests.ts";
import { createLimits } from "./limits/limiter.ts";
import { collectRoutes, type RouteRow } from "./limits/route-table.ts";
import { authModule } from "./modules/auth/index.ts";
import { cartsModule } from "./modules/carts/index.ts";
import { categoriesModule } from "./modules/categories/index.ts";
import { listingsModule } from "./modules/listings/index.ts";
import { productCards, productsModule } from "./modules/products/index.ts";
import { sellersModule } from "./modules/sellers/index.ts";
import { forgivesMisspelling } from "./paging/relevance.ts";

/** When each job runs: counting the catalog anew, forgetting sessions that have expired. */
const jobTimes: Readonly<Record<JobName, string>> = { catalog_rollup: "*/5 * * * *", session_gc: "17 * * * *" };

/** A running marketplace, or one role of it. */
export interface App {
  readonly server: Server;
  readonly database: Database;
  /** What it answers, and the tier of each. */
  readonly routes: readonly RouteRow[];
  /** From now on `/health/ready` says no. */
  drain(): void;
  /** Lets requests and jobs under way finish, then closes everything. */
  close(timeoutMs: number): Promise<void>;
}

/** What it runs on. */
export interface AppOptions {
  readonly role: Role;
  /** The servers of one cluster. */
  readonly databaseUrls: readonly string[];
  readonly logTo?: NodeJS.WritableStream;
}

/** The composition root: every part is made and connected here, and nowhere else. */
export async function createApp(config: Config, { role, databaseUrls, ...rest }: AppOptions): Promise<App> {
  let draining = false;
  const server = await createServer({ ...config.http, logLevel: config.logLevel, ...rest });
  const database = createDatabase(databaseUrls, config.database, server.log);
  const telemetry = createTelemetry(config.otlp, server.log);
  const stopWatching = watchDatabaseEvents(telemetry.meter, server.log);
  // Who has counted the catalog reads the new counts; others may read what is a little older.
  const counting = database.session();
  const { rollUp } = categoriesModule(counting.sql);
  const { secretKey, production: secureCookies } = config;
  const auth = authModule(database.sql, { ...config.auth, secretKey, secureCookies });
  const limits = createLimits({ redisUrl: config.redis.rateLimitUrl, isEnabled: config.features.rateLimit });
  const carts = cartsModule({ ...config.carts, cards: productCards(database.sql), guards: auth.guards });
  const stopWatchingLimits = watchLimits(telemetry.meter, server.log);
  const routes = collectRoutes(server);
  let queue: Queue | undefined;

  async function close(timeoutMs: number): Promise<void> {
    draining = true;
    await Promise.all([server.close(), queue?.stop(timeoutMs)]);
    await Promise.all([limits[Symbol.asyncDispose](), carts[Symbol.asyncDispose]()]);
    await database[Symbol.asyncDispose]();
    stopWatching();
    stopWatchingLimits();
    await telemetry.close(timeoutMs);
  }

  try {
    endConnections(server, () => draining);
    measure(server, database, telemetry);
    await limitRequests(server, { limiter: limits.limiter, ...config.http, caller: auth.caller });
    refuseEarly(server);
    await answerOtherMethods(server, async () => {
      healthRoutes(server, { inspectDatabase: () => database.inspect(), isDraining: () => draining });
      if (config.features.metrics) metricsRoute(server, telemetry);
      if (!does(role, "web")) return;
      const { sql, reads } = database;
      const catalog = { sql, reads, guards: auth.guards, forgivesMisspelling: await forgivesMisspelling(sql) };
      const modules = [
        auth.routes,
        sellersModule(sql, auth.guards),
        productsModule(catalog),
        listingsModule(catalog),
        categoriesModule(counting.reads).routes,
        carts.routes,
      ];
      await documentation(server, () => mount(server, modules));
    });
    if (role !== "web") {
      const work = { catalog_rollup: rollUp, session_gc: auth.collectGarbage };
      queue = await jobs(role, { urls: databaseUrls, log: server.log, work });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { server, database, routes, drain: () => void (draining = true), close };
}

/** Counts and traces requests, and shows the database and the process. */
function measure(server: Server, database: Database, { meter, tracer }: Telemetry): void {
  const metrics = createMetrics(meter);
  metrics.watchHosts(() => database.hosts());
  watchProcess(meter);
  if (tracer !== undefined) traceRequests(server, tracer);
  countRequests(server, metrics);
}

/** Serves the modules under both prefixes. */
async function mount(server: Server, modules: readonly ((server: Server) => void)[]): Promise<void> {
  for (const prefix of ["/api", "/api/v1"]) {
    await server.register(async (api: Server) => modules.forEach((module) => module(api)), { prefix });
  }
}

/** Whether a role includes a part. */
function does(role: Role, part: Role): boolean {
  return role === "all" || role === part;
}

interface JobsOptions {
  readonly urls: readonly string[];
  readonly log: Server["log"];
  readonly work: Readonly<Record<JobName, () => Promise<void>>>;
}

async function jobs(role: Role, { urls, log, work }: JobsOptions): Promise<Queue> {
  const [worker, cron] = [does(role, "worker"), does(role, "cron")];
  const queue = await createQueue({ urls, log, schedules: cron, supervises: worker });
  for (const name of jobNames) {
    if (worker) await queue.work(name, work[name]);
    if (cron) await queue.schedule(name, jobTimes[name]);
  }
  return queue;
}
