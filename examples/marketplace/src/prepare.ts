import type { SqlTransaction } from "@sluice/postgres";

import type { AuthConfig } from "./config/auth-config.ts";
import type { Config, SeedSize } from "./config/config.ts";
import { dataFolders } from "./embedded/data-folders.ts";
import { startEmbeddedPostgres } from "./embedded/embedded-postgres.ts";
import { withAdministrator } from "./infra/database.ts";
import { prepareSchema } from "./infra/prepare-schema.ts";
import { createQueue } from "./infra/queue.ts";
import { ensureAdministrator, ensureSeedPassword, passwordHasher } from "./modules/auth/index.ts";
import { digestLines, type Print } from "./print.ts";
import { createProgress } from "./seed/progress.ts";
import { seedDatabase } from "./seed/seed-database.ts";

/** A database that this process may use. */
export interface ReadyServer {
  /** Its servers. Which of them is the primary is found out. */
  readonly urls: readonly string[];
  /** As the person at the terminal should read it. */
  readonly place: string;
  /** Ends the embedded PostgreSQL, where it is one. */
  stop(): Promise<void>;
}

/** The database that the configuration names, or a PostgreSQL of this process's own. */
export async function openServer({ database }: Config, print: Print): Promise<ReadyServer> {
  if (database.url !== undefined) {
    const urls = [database.url, ...database.replicaUrls];
    return { urls, place: "the database of DATABASE_URL", stop: () => Promise.resolve() };
  }
  const embedded = await startEmbeddedPostgres(dataFolders(database.dataFolder, process.env));
  print(...embedded.notes);
  return { urls: [embedded.url], place: embedded.folder, stop: () => embedded.stop() };
}

/** Migrates, and says what it did. */
export async function migrateDatabase(urls: readonly string[], patienceMs: number, print: Print): Promise<void> {
  const applied = await withAdministrator(urls, (database) => prepareSchema(database, patienceMs));
  if (applied.length > 0) print(`Migrated: ${applied.join(", ")}`);
}

/** Seeds an empty database, and says with what. */
export async function seed(urls: readonly string[], size: SeedSize, print: Print): Promise<void> {
  if (size === "none") return;
  const enqueue = (transaction: SqlTransaction) => enqueueRollup(urls, transaction);
  const options = { size, progress: createProgress(process.stdout), whenSeeded: enqueue };
  const report = await withAdministrator(urls, (database) => seedDatabase(database, options));
  if (report === undefined) print("Not seeded: there are rows already.");
  else if (report.byThisCall) print(`Seeded, size ${report.size}:`, ...digestLines(report.digests));
}

/** Makes the administrator that the configuration names, and gives the users of the seed data their password. */
export async function prepareAccounts(
  urls: readonly string[],
  { admin, seedPassword, argon2 }: AuthConfig,
): Promise<void> {
  const hasher = passwordHasher(argon2);
  await withAdministrator(urls, async (database) => {
    if (admin !== undefined) await ensureAdministrator(database, admin, hasher);
    if (seedPassword !== undefined) await ensureSeedPassword(database, seedPassword, hasher);
  });
}

/** The counts follow the rows: the job is there when, and only when, they are. */
async function enqueueRollup(urls: readonly string[], transaction: SqlTransaction): Promise<void> {
  const log = { info: ignore, warn: ignore, error: ignore, debug: ignore };
  const queue = await createQueue({ urls, log, schedules: false, supervises: false });
  try {
    await queue.enqueue(transaction, "catalog_rollup", [{}]);
  } finally {
    await queue.stop(1000);
  }
}

function ignore(): void {}
