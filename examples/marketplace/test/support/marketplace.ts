import type { AddressInfo } from "node:net";

import { fromPg, type SqlDatabase } from "@sluice/postgres";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";

import { createApp, type App } from "../../src/app.ts";
import type { Role } from "../../src/config/config.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { withAdministrator } from "../../src/infra/database.ts";
import { prepareSchema } from "../../src/infra/prepare-schema.ts";
import { createProgress } from "../../src/seed/progress.ts";
import { seedDatabase } from "../../src/seed/seed-database.ts";
import { captureLog, type CapturedLog } from "./test-server.ts";

/** A marketplace that listens on a loopback port, in this process. */
export interface TestMarketplace extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly databaseUrl: string;
  readonly log: CapturedLog;
  /** The database behind it, on a connection of the test's own. */
  readonly admin: SqlDatabase;
  get(path: string): Promise<Answer>;
}

/** What the marketplace answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Any body of the marketplace. */
export interface Body {
  readonly ok: boolean;
  readonly data: never;
  readonly error: { readonly code: string; readonly message: string; readonly fields?: readonly { path: string }[] };
  readonly page: { readonly next_cursor: string | null; readonly limit: number };
  readonly trace_id: string;
}

/** How to start one. */
export interface TestMarketplaceOptions {
  readonly role?: Role;
  readonly databaseUrl?: string;
  readonly replicaUrls?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Hashing that costs nothing, for tests that are about something else. */
const lightHashes = { ARGON2_MEMORY_KIB: "8", ARGON2_PASSES: "1" };

/** A migrated database of its own, without a row. */
export async function emptyDatabase(): Promise<string> {
  const url = await createTestDatabase();
  await withAdministrator(url, (database) => prepareSchema(database, 1000));
  return url;
}

/** A migrated and seeded database of its own. */
export async function seededDatabase(): Promise<string> {
  const url = await createTestDatabase();
  await seedDatabaseAt(url);
  return url;
}

/** Migrates and seeds an empty database. */
export async function seedDatabaseAt(url: string): Promise<void> {
  await withAdministrator(url, async (database) => {
    await prepareSchema(database, 1000);
    const progress = createProgress({ write: () => true });
    await seedDatabase(database, { size: "S", progress, whenSeeded: () => Promise.resolve() });
  });
}

/** Starts a marketplace on a seeded database, without limits: they are tested where they are switched on. */
export async function startMarketplace(options: TestMarketplaceOptions = {}): Promise<TestMarketplace> {
  const { role = "web", environment = {}, databaseUrl = await seededDatabase(), replicaUrls = [] } = options;
  const config = readConfig({ LOG_LEVEL: "warn", ENABLE_RATE_LIMIT: "false", ...lightHashes, ...environment });
  if (!config.ok) throw new Error(config.problems.join("\n"));
  const log = captureLog();
  const databaseUrls = [databaseUrl, ...replicaUrls];
  const app = await createApp(config.config, { role, databaseUrls, logTo: log.stream });
  await app.server.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`;
  const admin = new pg.Pool({ connectionString: databaseUrl, max: 4, options: "-c search_path=marketplace,public" });
  admin.on("error", () => undefined);
  return {
    app,
    url,
    databaseUrl,
    log,
    admin: fromPg(admin),
    get: (path) => request(url + path),
    async [Symbol.asyncDispose]() {
      await app.close(2000);
      await admin.end();
    },
  };
}

/** Sends a request, and insists that the answer is JSON with its own request id. */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await fetch(url, init);
  const body = (await reply.json()) as Body;
  if (body.trace_id !== reply.headers.get("x-request-id")) throw new Error("trace_id is not X-Request-Id");
  return { status: reply.status, headers: reply.headers, body };
}
