import { fromPg, migrate } from "@sluice/postgres";
import { connectRedis } from "@sluice/redis/ioredis";
import { killProcess } from "@sluice/testing/faults";
import { findRedis, launchRedis, type LaunchedRedis } from "@sluice/testing/services";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";

import { createLocks } from "../src/index.ts";
import { lockMigrations, postgresFence } from "../src/postgres.ts";
import { redisStore } from "../src/redis.ts";
import { admin, ownServer } from "./own-redis.ts";
import { codeOf } from "./support.ts";
import { until } from "./until.ts";

async function fenced() {
  const pool = new pg.Pool({ connectionString: await createTestDatabase(), max: 4 });
  onTestFinished(() => pool.end());
  const db = fromPg(pool);
  await migrate(db, { package: "lock", migrations: lockMigrations });
  return { db, fence: postgresFence(db) };
}

const wipes: Readonly<Record<string, (server: LaunchedRedis) => Promise<void>>> = {
  flushed: async (server) => void (await admin(server).flushall()),
  "killed, and begins anew": async ({ pid, port }) => {
    await killProcess(pid);
    const anew = await launchRedis({ binary: (await findRedis()) ?? "redis-server", port });
    onTestFinished(() => anew.stop());
  },
};

describe.each(Object.entries(wipes))("a lock whose Redis is %s", (_title, wipe) => {
  it("is forgotten while it is held: the next holder comes, the first is told and writes nothing", async () => {
    const { db, fence } = await fenced();
    const server = await ownServer();
    const redis = connectRedis(server.url);
    onTestFinished(() => redis.close());
    const store = redisStore(redis);
    const process = () => createLocks({ store, fence, leaseMs: 1000 });
    const first = await process().acquire("account");
    await wipe(server);
    await until(async () => (await codeOf(redis.read("PING", []))) === "fulfilled with PONG");
    const next = await process().acquire("account", { leaseMs: 60_000 });
    const guarded = (held: typeof first) => codeOf(db.transaction((tx) => fence.guard(tx, held)));
    expect(await guarded(next)).toBe("fulfilled with undefined");
    expect(await guarded(first)).toBe("ERR_SLUICE_LOCK_FENCED_OUT");
    await until(() => first.signal.aborted);
    expect(first.signal.reason).toMatchObject({ code: "ERR_SLUICE_LOCK_LOST" });
    await first.release();
    expect(await process().tryAcquire("account")).toBeUndefined();
    await next.release();
  });
});
