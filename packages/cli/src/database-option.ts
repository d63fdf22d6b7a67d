import { connectPostgres, type Postgres } from "@sluice/postgres/connect";

import type { CommandOption, Typed } from "./command.ts";
import { firstSet } from "./first-set.ts";
import type { Surroundings } from "./run.ts";
import { UsageError } from "./usage-error.ts";

/** Where PostgreSQL is, for commands that need it. */
export const databaseOption: CommandOption = {
  type: "string",
  value: "url",
  help: "where PostgreSQL is; default: DATABASE_URL",
};

/**
 * Connects to the PostgreSQL that was named by `--database`, else by `DATABASE_URL`: to its primary alone.
 *
 * @throws `ERR_SLUICE_CLI_USAGE` when neither is there.
 */
export function databaseOf(typed: Typed, { env }: Surroundings): Postgres {
  const url = typed.text("database") ?? firstSet(env, ["DATABASE_URL"]);
  if (url === undefined) throw new UsageError("Say where PostgreSQL is: --database or DATABASE_URL.");
  return connectPostgres({
    urls: url,
    replicas: "none",
    max: 2,
    applicationName: "sluice",
    acquireTimeoutMs: 2000,
    // Whoever looks at all of a great catalog waits for it; nobody else does.
    statementTimeoutMs: 300_000,
  });
}
