import { watchCache } from "./cache/cache-events.ts";
import { createCaching, type Caching } from "./cache/caching.ts";
import { createCatalog } from "./catalog.ts";
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
import { watchStock } from "./infra/stock-events.ts";
import { createTelemetry, type Telemetry } from "./infra/telemetry.ts";
import { includes } from "./jobs.ts";
import { watchLimits } from "./limits/limit-events.ts";
import { limitRequests } from "./limits/limit-requests.ts";
import { createLimits } from "./limits/limiter.ts";
import { collectRoutes, type RouteRow } from "./limits/route-table.ts";
import { authModule } from "./modules/auth/index.ts";
import { cartsModule } from "./modules/carts/index.ts";
import { productCards } from "./modules/products/index.ts";
import { openTrade, type Trade } from "./trade.ts";

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
  const { secretKey, production: secureCookies } = config;
  const auth = authModule(database.sql, { ...config.auth, secretKey, secureCookies });
  const limits = createLimits({ redisUrl: config.redis.rateLimitUrl, isEnabled: config.features.rateLimit });
  const carts = cartsModule({ ...config.carts, cards: productCards(database.sql), guards: auth.guards });
  const cache = cachingOf(config, database, databaseUrls.length > 1);
  const catalog = createCatalog(database, cache, auth.guards);
  const stopWatching = watchEvents(telemetry, cache, server.log);
  const routes = collectRoutes(server);
  let trade: Trade | undefined;

  async function close(timeoutMs: number): Promise<void> {
    draining = true;
    // Requests under way may still sell.
    await server.close();
    await trade?.stop(timeoutMs);
    await Promise.all([limits, carts, cache].map((part) => part[Symbol.asyncDispose]()));
    await database[Symbol.asyncDispose]();
    stopWatching();
    await telemetry.close(timeoutMs);
  }

  try {
    endConnections(server, () => draining);
    measure(server, database, telemetry);
    await limitRequests(server, { limiter: limits.limiter, ...config.http, caller: auth.caller });
    refuseEarly(server);
    const otherWork = { catalog_rollup: catalog.rollUp, session_gc: auth.collectGarbage };
    const ground = { role, databaseUrls, database, otherWork, guards: auth.guards, log: server.log };
    const selling = await openTrade(config, ground);
    trade = selling;
    await answerOtherMethods(server, async () => {
      healthRoutes(server, { inspectDatabase: () => database.inspect(), isDraining: () => draining });
      if (config.features.metrics) metricsRoute(server, telemetry);
      if (!includes(role, "web")) return;
      const modules = [auth.routes, carts.routes, ...(await catalog.routes()), ...selling.routes];
      await documentation(server, () => mount(server, modules));
      cache.deliver();
    });
    await selling.start();
  } catch (error) {
    await close(0);
    throw error;
  }
  return { server, database, routes, drain: () => void (draining = true), close };
}

function cachingOf(config: Config, { sql }: Database, hasReplicas: boolean): Caching {
  return createCaching({
    redisUrl: config.redis.cacheUrl,
    deadlineMs: config.cacheDeadlineMs,
    isEnabled: config.features.cache,
    ttlSeconds: config.cacheTtlSeconds,
    sql,
    // What is loaded from a replica may be so old.
    settleMs: hasReplicas ? config.database.maxLagMs : 0,
  });
}

/** Counts and logs what Sluice tells. @returns ends it. */
function watchEvents({ meter }: Telemetry, { cache }: Caching, log: Server["log"]): () => void {
  const ends = [watchDatabaseEvents, watchLimits, watchStock].map((watch) => watch(meter, log));
  ends.push(watchCache(meter, cache, log));
  return () => ends.forEach((end) => end());
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
