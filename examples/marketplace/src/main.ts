import type { Role } from "./config/config.ts";
import { printConfig } from "./config/print-config.ts";
import { readConfig, type ConfigResult } from "./config/read-config.ts";
import { scheduleLines } from "./jobs.ts";
import { migrateDatabase, openServer, prepareAccounts, seed } from "./prepare.ts";
import { printLine } from "./print.ts";
import { start } from "./start.ts";

const usage = `Usage: main.ts [command]
  all, web, worker, cron   runs that role (default: NODE_ROLE, else all)
  cron --list              prints when which job comes by itself
  migrate                  brings the database's schema up to date
  seed                     fills an empty database, with SEED_SIZE rows
  config --print           prints the effective configuration`;

const roles: readonly string[] = ["all", "web", "worker", "cron"] satisfies readonly Role[];

/** Reads the command line and the environment, and runs. What goes wrong is one line, not a stack. */
async function main([command, ...rest]: readonly string[]): Promise<void> {
  const result = readConfig(process.env);
  if (!result.ok)
    return refuse(["The configuration is not usable:", ...result.problems.map((problem) => `  ${problem}`)]);
  try {
    await run(result, command ?? result.config.role, rest);
  } catch (error) {
    refuse([reasonOf(error)]);
    // Whatever was opened before it went wrong must not keep the process.
    process.exit();
  }
}

async function run(
  { config, settings }: ConfigResult & { readonly ok: true },
  command: string,
  rest: readonly string[],
) {
  if (roles.includes(command) && rest.length === 0) return start(config, command as Role);
  if (command === "cron" && rest.join() === "--list") return printLine("Times are in UTC:", ...scheduleLines());
  if (command === "config" && rest.join() === "--print") return printLine(printConfig(settings));
  if (!["migrate", "seed"].includes(command) || rest.length > 0) return refuse([usage]);
  const server = await openServer(config, printLine);
  try {
    await migrateDatabase(server.urls, config.database.poolTimeoutMs, printLine);
    if (command === "seed") {
      await seed(server.urls, config.database.seedSize, printLine);
      await prepareAccounts(server.urls, config.auth);
    }
  } finally {
    await server.stop();
  }
}

/** The message, and those beneath it that say more. */
function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = "code" in at && at.message === "" ? String(at.code) : "";
    messages.push(at.message || code || at.name);
  }
  return [...new Set(messages)].join(": ");
}

function refuse(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}

await main(process.argv.slice(2));
