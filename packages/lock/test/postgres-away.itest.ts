import { fromPg, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";
import { createFaultProxy, postgresProtocol, type Fault } from "@sluice/testing/faults";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { createLocks } from "../src/index.ts";
import { lockInTransaction, postgresStore } from "../src/postgres.ts";
import { codeOf, heard } from "./support.ts";
import { until } from "./until.ts";

const deadlineMs = 150;
let url: string;

beforeAll(async () => {
  url = await createTestDatabase();
});

function at(connectionString: string, max = 4) {
  const pool = new pg.Pool({ connectionString, max });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  onTestFinished(() => pool.end());
  const db = fromPg(pool);
  return { pool, db, store: postgresStore(db, { deadlineMs }) };
}

async function behindProxy() {
  const { hostname, port } = new URL(url);
  const proxy = await createFaultProxy({
    upstream: { host: hostname, port: Number(port || 5432) },
    protocol: postgresProtocol,
  });
  onTestFinished(() => proxy.close());
  return { proxy, ...at(proxy.url(url)) };
}

describe("a lock in PostgreSQL", () => {
  it("is waited for no longer than it takes to know that no connection is free, nor after the caller has left", async () => {
    const { pool, db, store } = at(url, 2);
    const locks = createLocks({ store });
    const held = [await locks.acquire("one"), await locks.acquire("two")];
    expect(await codeOf(locks.acquire("three", { waitMs: 0 }))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    const leaving = new AbortController();
    const waiting = createLocks({ store: postgresStore(db) }).acquire("four", { signal: leaving.signal });
    await until(() => pool.waitingCount > 0);
    leaving.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    for (const lock of held) await lock.release();
    // Connections that come now are for nobody, and go back at once.
    await until(() => pool.waitingCount === 0 && pool.idleCount === pool.totalCount);
    for (const key of ["three", "four"]) await (await locks.acquire(key, { waitMs: 0 })).release();
  });

  it("that is had after its caller was told that there is no answer is held for nobody", async () => {
    const { db, store } = at(url);
    const answers = Promise.withResolvers<void>();
    const slow: SqlDatabase = {
      ...db,
      transaction: (work, options) =>
        db.transaction((tx) => {
          const query: SqlTransaction["query"] = async (text, params) => {
            const answer = await tx.query<never>(text, params);
            await answers.promise;
            return answer;
          };
          return work({ ...tx, query });
        }, options),
    };
    const locks = createLocks({ store: postgresStore(slow, { deadlineMs }) });
    expect(await codeOf(locks.acquire("a"))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    const direct = createLocks({ store });
    expect(await direct.tryAcquire("a")).toBeUndefined();
    answers.resolve();
    await (await direct.acquire("a", { waitMs: 10_000 })).release();
  });

  it.each([0, -1, Number.NaN, 1e12])("is asked for within no impossible time, such as %j ms", async (ms) => {
    const { db } = at(url);
    expect(() => postgresStore(db, { deadlineMs: ms })).toThrow("deadlineMs");
    const work = db.transaction((tx) => lockInTransaction(tx, "a", { waitMs: ms }));
    expect(await codeOf(work)).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });

  it("is lost when the database is away for longer than the lease, and its release keeps nobody waiting", async () => {
    const { proxy, store } = await behindProxy();
    const events = heard();
    let away: Fault | undefined;
    const result = await createLocks({ store, leaseMs: 600 }).withLock("a", async ({ signal }) => {
      away = proxy.blackhole();
      await until(() => signal.aborted);
      return "done";
    });
    await away?.lift();
    expect(result).toBe("done");
    const types = events.map(({ type }) => type);
    for (const type of ["extend-failed", "lost", "release-failed"]) expect(types).toContain(type);
  });
});
