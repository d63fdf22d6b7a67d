import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

import { fromPg } from "@sluice/postgres";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";

const fixture = new URL("./fixtures/migrate.ts", import.meta.url);

async function startProcess(url: string): Promise<ChildProcess> {
  const child = fork(fixture, {
    execArgv: ["--conditions=sluice-source"],
    env: { ...process.env, DATABASE_URL: url },
  });
  onTestFinished(() => void child.kill());
  await once(child, "message");
  return child;
}

async function outcomeOf(child: ChildProcess): Promise<unknown> {
  const answer = once(child, "message");
  child.send("go");
  return (await answer)[0];
}

describe("four processes that migrate at the same time", () => {
  it.each(["read committed", "repeatable read"])(
    "apply each migration exactly once where the default isolation is %s",
    async (isolation) => {
      const url = await createTestDatabase();
      const pool = new pg.Pool({ connectionString: url });
      onTestFinished(() => pool.end());
      const db = fromPg(pool);
      const database = new URL(url).pathname.slice(1);
      await db.query(`alter database ${database} set default_transaction_isolation = '${isolation}'`);
      const children = await Promise.all(Array.from({ length: 4 }, () => startProcess(url)));
      const outcomes = await Promise.all(children.map(outcomeOf));
      expect(outcomes).toEqual(outcomes.map(() => ({ applied: expect.any(Array) })));
      const applied = (outcomes as { applied: string[] }[]).flatMap((outcome) => outcome.applied);
      expect(applied.toSorted()).toEqual(["0001_t1", "0002_t2", "0003_t3", "0004_t4", "0005_t5", "0006_t6"]);
      const { rowCount } = await db.query("select from sluice.sluice_migration");
      expect(rowCount).toBe(7);
    },
    30_000,
  );
});
