import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { createCache, paramsKey, pathKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { inventoryMigrations } from "@sluice/inventory/postgres";
import { migrate } from "@sluice/postgres";
import { connectPostgres } from "@sluice/postgres/connect";
import { connectRedis } from "@sluice/redis/ioredis";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { createTestDatabase, describeNeeding } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sluice } from "./session.ts";

/** A line of a runbook that its reader types. */
interface Step {
  readonly line: string;
  readonly code: number;
}

function stepsOf(runbook: string): Step[] {
  const file = fileURLToPath(new URL(`../../../docs/runbooks/${runbook}.md`, import.meta.url));
  const fences = [...readFileSync(file, "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].map(([, body = ""]) => body);
  return fences
    .flatMap((body) => body.trimEnd().split("\n"))
    .map((typed) => {
      const [command = "", note = ""] = typed.split("#");
      expect(command).toMatch(/^sluice /);
      return { line: command.replace(/^sluice /, "").trim(), code: note.includes("exits with 1") ? 1 : 0 };
    });
}

let redis: LaunchedRedis;
let databaseUrl: string;

const load = (): number => 1;

async function fillCache(): Promise<void> {
  await using connection = connectRedis(redis.url);
  await using cache = createCache({ store: redisStore(connection, { deadlineMs: 5000 }) });
  const ttl = "1h";
  const feed = cache.scope<{ city: string }, number>("feed", { prefix: "v1:feed", key: paramsKey(), ttl, load });
  // Named otherwise than its prefix: it has a generation of its own.
  const days = cache.scope<[number, string], number>("days", { prefix: "availability", key: pathKey(), ttl, load });
  await feed.get({ city: "Paris" });
  await days.get([42, "2026-07-01"]);
}

async function prepareDatabase(): Promise<string> {
  const url = await createTestDatabase();
  await using db = connectPostgres({ urls: url });
  await migrate(db, { package: "inventory", migrations: await inventoryMigrations() });
  return url;
}

describeNeeding({ programs: [["redis-server", "valkey-server"]] }, "a command of a runbook", () => {
  beforeAll(async () => {
    redis = await launchRedis({ binary: (await findRedis()) ?? "redis-server" });
    databaseUrl = await prepareDatabase();
    await fillCache();
  });
  afterAll(() => redis.stop());

  describe.each(["cache", "inventory"])("docs/runbooks/%s.md", (runbook) => {
    const steps = stepsOf(runbook);

    it("is there", () => expect(steps.length).toBeGreaterThan(5));

    it.each(steps)("does what it says: sluice $line", async ({ line, code }) => {
      const ended = await sluice(line, { REDIS_URL: redis.url, DATABASE_URL: databaseUrl });
      expect(ended).toMatchObject({ code, err: "" });
    });
  });
});
