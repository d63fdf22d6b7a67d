import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

import { fromPg, migrate } from "@sluice/postgres";
import { connectRedis } from "@sluice/redis/ioredis";
import { continueProcess, stopProcess } from "@sluice/testing/faults";
import { createTestDatabase, service } from "@sluice/testing/vitest";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";

import { createLocks } from "../src/index.ts";
import { lockMigrations, postgresFence } from "../src/postgres.ts";
import { redisStore } from "../src/redis.ts";
import { until } from "./until.ts";

const leaseMs = 300;

it("a holder that is frozen for longer than its lease writes nothing after the next holder has", async () => {
  const url = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  onTestFinished(() => pool.end());
  const db = fromPg(pool);
  await migrate(db, { package: "lock", migrations: lockMigrations });
  await db.script("create table ledger (writer text)");
  const fence = postgresFence(db);
  const redis = connectRedis(service("redis").url);
  onTestFinished(() => redis.close());
  const prefix = `lock:${process.pid}:frozen:`;

  const holder = await startHolder({ url, redisUrl: service("redis").url, prefix, leaseMs });
  await stopProcess(holder.pid ?? 0);
  const locks = createLocks({ store: redisStore(redis, { prefix }), fence, leaseMs });
  await locks.withLock(
    "account",
    async (held) => {
      await db.transaction(async (tx) => {
        await fence.guard(tx, held);
        await tx.query("insert into ledger values ('next')");
      });
      await continueProcess(holder.pid ?? 0);
      const [told] = await once(holder, "message");
      // It woke up and still had its old lock object; the database refused what it wrote.
      expect(told).toEqual({ code: "ERR_SLUICE_LOCK_FENCED_OUT", remainingMs: 0 });
    },
    { waitMs: 10_000 },
  );
  expect((await db.query("select writer from ledger")).rows).toEqual([{ writer: "next" }]);
});

/** A process of its own that holds the lock, and writes when it has noticed that time has passed. */
async function startHolder(options: object): Promise<ChildProcess> {
  const child = fork(new URL("fixtures/frozen-holder.ts", import.meta.url), [JSON.stringify(options)], {
    execArgv: ["--conditions=sluice-source"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let isReady = false;
  child.once("message", () => (isReady = true));
  await until(() => isReady);
  return child;
}
