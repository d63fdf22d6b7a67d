import type { Config, Role } from "./config/config.ts";
import { documentation } from "./http/documentation.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { answerOtherMethods } from "./http/methods.ts";
import { countRequests, metricsRoute } from "./http/metrics-route.ts";
import { createServer, type Server } from "./http/server.ts";
import { createDatabase, type Database } from "./infra/database.ts";
import { createMetrics } from "./infra/metrics.ts";
import { createQueue, type Queue } from "./infra/queue.ts";
import { categoriesModule } from "./modules/categories/index.ts";
import { listingsModule } from "./modules/listings/index.ts";
import { productsModule } from "./modules/products/index.ts";
import { forgivesMisspelling } from "./paging/relevance.ts";

/** When the counts of the catalog are made anew. */
const rollupTimes = "*/5 * * * *";

/** A running marketplace, or one role of it. */
export interface App {
  readonly server: Server;
  readonly database: Database;
  /** From now on `/health/ready` says no. */
  drain(): void;
  /** Lets requests and jobs under way finish, then closes everything. */
  close(timeoutMs: number): Promise<void>;
}

/** What it runs on. */
export interface AppOptions {
  readonly role: Role;
  readonly databaseUrl: string;
  readonly logTo?: NodeJS.WritableStream;
}

/** The composition root: every part is made and connected here, and nowhere else. */
export async function createApp(config: Config, { role, databaseUrl, ...rest }: AppOptions): Promise<App> {
  let draining = false;
  const server = await createServer({ ...config.http, logLevel: config.logLevel, ...rest });
  const database = createDatabase(databaseUrl, config.database, server.log);
  const categories = categoriesModule(database.sql);
  let queue: Queue | undefined;

  async function close(timeoutMs: number): Promise<void> {
    draining = true;
    await Promise.all([server.close(), queue?.stop(timeoutMs)]);
    await database[Symbol.asyncDispose]();
  }

  try {
    const metrics = createMetrics();
    for (const [name, pool] of Object.entries(database.pools)) metrics.watchPool(name, pool);
    countRequests(server, metrics);
    await answerOtherMethods(server, async () => {
      healthRoutes(server, { pingDatabase: () => database.ping(), isDraining: () => draining });
      if (config.features.metrics) metricsRoute(server, metrics);
      if (!does(role, "web")) return;
      const forgives = await forgivesMisspelling(database.sql);
      const modules = [productsModule(database.sql, forgives), listingsModule(database.sql, forgives)];
      await documentation(server, () => mount(server, [categories.routes, ...modules]));
    });
    if (role !== "web") {
      queue = await jobs(role, { url: databaseUrl, log: server.log, rollUp: categories.rollUp });
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { server, database, drain: () => void (draining = true), close };
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
  readonly url: string;
  readonly log: Server["log"];
  readonly rollUp: () => Promise<void>;
}

async function jobs(role: Role, { url, log, rollUp }: JobsOptions): Promise<Queue> {
  const [worker, cron] = [does(role, "worker"), does(role, "cron")];
  const queue = await createQueue({ url, log, schedules: cron, supervises: worker });
  if (worker) await queue.work("catalog_rollup", rollUp);
  if (cron) await queue.schedule("catalog_rollup", rollupTimes);
  return queue;
}
