import { randomUUID } from "node:crypto";

import { seededRandom } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { chaosRedis, chaosSql, type ChaosPlan } from "@sluice/testing/faults";
import { createTestDatabase, service } from "@sluice/testing/vitest";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const plan: ChaosPlan = { refuse: 0.1, slow: 0.1, hang: 0.02, loseReply: 0.2, duplicate: 0.1, reorder: 0.1 };

interface Transaction {
  query(text: string, params?: readonly unknown[]): Promise<pg.QueryResult>;
  script(text: string): Promise<void>;
}

function sqlOn(to: pg.Pool | pg.PoolClient): Transaction {
  return {
    query: (text, params = []) => to.query(text, [...params]),
    script: async (text) => void (await to.query(text)),
  };
}

/** The port of `@sluice/postgres` over a pool, as far as these tests need it. */
function databaseOf(pool: pg.Pool) {
  return {
    ...sqlOn(pool),
    async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const result = await work(sqlOn(client));
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

describe("chaos on a real PostgreSQL", () => {
  let pool: pg.Pool;
  const insert = "insert into done values ($1)";
  const rows = async (): Promise<number> => (await pool.query("select from done")).rowCount ?? -1;

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await createTestDatabase() });
    await pool.query("create table done (id integer)");
  });

  afterAll(() => pool.end());

  it("commits and says that nobody knows", async () => {
    const before = await rows();
    const db = chaosSql(databaseOf(pool), { faults: ["loseReply"] });
    const lost = db.transaction((transaction) => transaction.query(insert, [1]));
    await expect(lost).rejects.toMatchObject({ code: "ERR_SLUICE_COMMIT_UNKNOWN" });
    expect(await rows()).toBe(before + 1);
  });

  it("lets an error of the work through where the answer would be lost", async () => {
    const before = await rows();
    const db = chaosSql(databaseOf(pool), { faults: ["loseReply", "duplicate"] });
    for (const fault of ["loseReply", "duplicate"]) {
      const sold = db.transaction(async (transaction) => {
        await transaction.query(insert, [1]);
        throw new Error(`sold out under ${fault}`);
      });
      await expect(sold).rejects.toThrow(`sold out under ${fault}`);
    }
    expect(await rows()).toBe(before);
    expect(db.chaos.history).toMatchObject([
      { executions: 0, failures: 1, outcome: "failed" },
      { executions: 0, failures: 1, outcome: "failed" },
    ]);
  });

  it("runs the work of a duplicated transaction twice", async () => {
    const before = await rows();
    const db = chaosSql(databaseOf(pool), { faults: ["duplicate"] });
    await db.transaction((transaction) => transaction.query(insert, [1]));
    expect(await rows()).toBe(before + 2);
  });

  it("rolls back when the connection is lost within, whatever the work does", async () => {
    const before = await rows();
    const db = chaosSql(databaseOf(pool), { faults: ["none", "none", "loseReply"], statements: true });
    const swallowing = db.transaction(async (transaction) => {
      await transaction.query(insert, [1]);
      await transaction.query(insert, [2]).catch(() => undefined);
      await transaction.query(insert, [3]).catch(() => undefined);
    });
    await expect(swallowing).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await rows()).toBe(before);
    expect(db.chaos.history.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ["transaction", "failed"],
      ["transaction.query", "answered"],
      ["transaction.query", "lost"],
    ]);
  });

  it("has as many effects as its history says", async () => {
    const before = await rows();
    const random = seededRandom(testSeed());
    const db = chaosSql(databaseOf(pool), { plan, random, slowMs: 2, hangMs: 20 });
    const calls = Array.from({ length: 200 }, (_, id) =>
      id % 2 === 0 ? db.query(insert, [id]) : db.transaction((transaction) => transaction.query(insert, [id])),
    );
    await Promise.allSettled(calls);
    const done = db.chaos.history.reduce((sum, { executions }) => sum + executions, 0);
    expect(await rows()).toBe(before + done);
  });
});

describe("chaos on a real Redis", () => {
  const client = new Redis(service("redis").url);
  const increment = { name: "increment", source: "return redis.call('INCR', KEYS[1])" };
  const port = {
    run: ({ source }: typeof increment, key: string) => client.eval(source, 1, key),
    read: (command: string, key: string) => client.call(command, key),
    subscribe: async (channel: string) => channel,
  };

  afterAll(() => client.disconnect());

  it("has as many effects as its history says", async () => {
    const redis = chaosRedis(port, { plan, random: seededRandom(testSeed()), slowMs: 2, hangMs: 20 });
    const key = `fault:${randomUUID()}`;
    await Promise.allSettled(Array.from({ length: 300 }, () => redis.run(increment, key)));
    const done = redis.chaos.history.reduce((sum, { executions }) => sum + executions, 0);
    redis.chaos.heal();
    await expect(redis.read("GET", key)).resolves.toBe(String(done));
  });
});
