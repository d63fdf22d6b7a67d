// `npm run demo:flash-sale`: a crowd at a flash sale, through HTTP, at the marketplace and at a sale that is written
// naively. Ends with 1 when a unit was sold that never was there, or one stayed that somebody wanted.
import process from "node:process";

import { readConfig } from "../config/read-config.ts";
import { printLine, printNothing } from "../print.ts";
import { readOptions, usage, type SaleOptions } from "./options.ts";
import { failuresOf } from "./outcome.ts";
import { openPlace } from "./place.ts";
import { reportLines, type Report } from "./report.ts";
import { naiveSale, sluiceSale } from "./sale.ts";
import { setStage } from "./stage.ts";

async function demonstrate(options: SaleOptions, stack: AsyncDisposableStack): Promise<Report> {
  const { DATABASE_URL, REDIS_URL } = process.env;
  const given = readConfig({ DATABASE_URL, REDIS_URL });
  if (!given.ok) throw new Error(given.problems.join("; "));
  const { database, redis } = given.config;
  const { buyers, units, sockets, paymentMs, json } = options;
  const print = json ? printNothing : printLine;
  const output = json ? { write: () => true } : process.stdout;
  const place = stack.use(await openPlace(database.url));
  print(
    `Flash sale: ${buyers.toLocaleString("en-US")} buyers want one of ${units.toLocaleString("en-US")} units each, ` +
      `over ${sockets} connections.`,
    `The database is ${place.name}; limits count in ${redis.url === undefined ? "the process" : "Redis"}, and are on.`,
  );
  const stage = await setStage({ databaseUrl: place.url, redisUrl: redis.url, buyers, rehearsal: sockets * 2, output });
  const run = { stage, options, output };
  const sluice = await sluiceSale(run);
  const naive = options.naive ? await naiveSale(run) : undefined;
  const report = { buyers, units, paymentMs, sluice, naive };
  print(...reportLines(report));
  if (json) printLine(JSON.stringify(report));
  return report;
}

/** Rejects when somebody wants this to end. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => reject(new Error(`Ended by ${signal}`)));
    }
  });
}

async function main(args: readonly string[]): Promise<number> {
  const stack = new AsyncDisposableStack();
  try {
    const options = readOptions(args);
    if (options === undefined) {
      printLine(usage);
      return 0;
    }
    const report = await Promise.race([demonstrate(options, stack), interruption()]);
    const failures = failuresOf(report.sluice, report);
    for (const failure of failures) process.stderr.write(`${failure}\n`);
    return failures.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await stack.disposeAsync();
  }
}

// What an interruption has left running ends with this process.
process.exit(await main(process.argv.slice(2)));
