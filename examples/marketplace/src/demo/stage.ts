import { systemClock } from "@sluice/core";
import type { SqlDatabase } from "@sluice/postgres";

import type { Config } from "../config/config.ts";
import { readConfig } from "../config/read-config.ts";
import { withAdministrator } from "../infra/database.ts";
import { prepareSchema } from "../infra/prepare-schema.ts";
import { createProgress, type ProgressOutput } from "../seed/progress.ts";
import { seedDatabase } from "../seed/seed-database.ts";
import { makePeople, type People } from "./people.ts";
import { makeProduct } from "./shop.ts";

/** Everything that a sale needs before it begins. */
export interface Stage {
  /** What the marketplace is started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly people: People;
  readonly productId: string;
  /** What is sold in the rehearsal. */
  readonly rehearsalId: string;
  /** Runs something on the stage's database. */
  query<T>(use: (database: SqlDatabase) => Promise<T>): Promise<T>;
}

/** Where a stage stands, and for how many. */
export interface StageOptions {
  readonly databaseUrl: string;
  /** Undefined: what the marketplace would keep there is in its process. */
  readonly redisUrl: string | undefined;
  readonly buyers: number;
  /** How many rehearse. */
  readonly rehearsal: number;
  /** Where it is shown how far this is. */
  readonly output: ProgressOutput;
}

const patienceMs = 10_000;

/** Migrates and seeds an empty database, and adds the people and the product of a sale. */
export async function setStage({ databaseUrl, redisUrl, buyers, rehearsal, output }: StageOptions): Promise<Stage> {
  const environment = environmentFor(databaseUrl, redisUrl);
  const result = readConfig(environment);
  if (!result.ok) throw new Error(result.problems.join("; "));
  const { config } = result;
  const query = <T>(use: (database: SqlDatabase) => Promise<T>): Promise<T> => withAdministrator(databaseUrl, use);
  return query(async (database) => {
    await prepareSchema(database, patienceMs);
    await seedDatabase(database, { size: "S", progress: createProgress(output), whenSeeded: () => Promise.resolve() });
    const { secretKey, auth } = config;
    const tokens = { ...auth, secretKey, ttlMs: auth.accessTtlMs, clock: systemClock };
    const people = await makePeople(database, { buyers, rehearsal }, tokens);
    const productId = await makeProduct(database);
    const rehearsalId = await makeProduct(database);
    await database.script("analyze");
    return { environment: { ...environment, SECRET_KEY: secretKey }, config, people, productId, rehearsalId, query };
  });
}

/** The defaults, but for where things are. The crowd is this machine's, and says whom it speaks for. */
function environmentFor(databaseUrl: string, redisUrl: string | undefined): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    TRUSTED_PROXIES: "127.0.0.1",
    JWT_ACCESS_TTL: "1h",
    LOG_LEVEL: "warn",
    SHUTDOWN_TIMEOUT_MS: "5000",
  };
}
