import { createApp, type App } from "./app.ts";
import type { Config, Role } from "./config/config.ts";
import { routeTable } from "./limits/route-table.ts";
import { migrateDatabase, openServer, prepareAccounts, seed, type ReadyServer } from "./prepare.ts";
import { printLine, printNothing, type Print } from "./print.ts";
import { shutDownOnSignal } from "./shutdown.ts";
import { welcome } from "./welcome.ts";

const firstPort = 3000;
const lastPort = 3030;

/** Runs one role, or all of them, until a signal. */
export async function start(config: Config, role: Role): Promise<void> {
  const print = config.production ? printNothing : printLine;
  const server = await openServer(config, print);
  try {
    await migrateDatabase(server.urls, config.database.poolTimeoutMs, print);
    await seed(server.urls, config.database.seedSize, print);
    await prepareAccounts(server.urls, config.auth);
    const app = await createApp(config, { role, databaseUrls: server.urls });
    const { delayMs, timeoutMs } = config.shutdown;
    const started = Promise.withResolvers<void>();
    shutDownOnSignal({
      drain: () => app.drain(),
      delayMs,
      timeoutMs,
      // The welcome asks the database: a signal that comes meanwhile does not take it away.
      close: () => started.promise.then(() => closeBoth(app, server, timeoutMs)),
      log: app.server.log,
    });
    const url = await listen(app, config, print);
    print(...routeTable(app.routes, config.features.rateLimit));
    print(...(await welcome(app.database.sql, { role, url, place: server.place, auth: config.auth })));
    started.resolve();
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function closeBoth(app: App, server: ReadyServer, timeoutMs: number): Promise<void> {
  await app.close(timeoutMs);
  await server.stop();
}

/** Listens where the configuration says; where it leaves the port open, on 3000 or the next free one. */
async function listen({ server }: App, { host, port }: Config, print: Print): Promise<string> {
  for (let candidate = port ?? firstPort; ; candidate += 1) {
    try {
      return await server.listen({ host, port: candidate, listenTextResolver: (address) => `Listening on ${address}` });
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (taken && port === undefined && candidate < lastPort) print(`Port ${candidate} is taken.`);
      else throw taken ? new Error(`PORT: ${candidate} is taken`, { cause: error }) : error;
    }
  }
}
