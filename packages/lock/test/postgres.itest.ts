import { fromPg, migrate, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";
import { createTestDatabase, runLaws } from "@sluice/testing/vitest";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createLocks, lockLaws } from "../src/index.ts";
import {
  lockInTransaction,
  lockMigrations,
  postgresFence,
  postgresStore,
  type PostgresFence,
} from "../src/postgres.ts";
import { runs, type Holder, type Move } from "./fence-model.ts";
import { codeOf, heard } from "./support.ts";
import { until } from "./until.ts";

const leaseMs = 60_000;
let pool: pg.Pool;
let db: SqlDatabase;
let fence: PostgresFence;
let keys = 0;
const newKey = (): string => `key ${(keys += 1)}`;

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: await createTestDatabase(), max: 60 });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  db = fromPg(pool);
  await migrate(db, { package: "lock", migrations: lockMigrations });
  await db.script("create table ledger (key text, token bigint, seq bigint generated always as identity)");
  fence = postgresFence(db);
});
afterAll(() => pool.end());

// The last four are about leases, and a transaction has none.
runLaws("locks in PostgreSQL", lockLaws.slice(0, -4), () => {
  const store = postgresStore(db);
  const owners = new Set<string>();
  return {
    store: {
      ...store,
      acquire: (request) => {
        owners.add(request.owner);
        return store.acquire(request);
      },
      extend: (request) => store.extend(request),
      release: (owner) => store.release(owner),
    },
    eventually: until,
    // Laws leave locks behind, and here a lock is a connection.
    [Symbol.asyncDispose]: async () => {
      for (const owner of owners) await store.release({ keys: [], owner });
    },
  };
});

describe("a lock in PostgreSQL", () => {
  it("is free again when the session of its holder has ended", async () => {
    const store = postgresStore(db);
    const key = newKey();
    const events = heard();
    const held = await createLocks({ store, leaseMs: 300 }).acquire(key);
    await db.query(
      "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    const next = { keys: [key], owner: "next", leaseMs };
    expect((await store.acquire(next)).granted).toBe(true);
    await store.release(next);
    await until(() => held.signal.aborted);
    expect(held.signal.reason).toMatchObject({ code: "ERR_SLUICE_LOCK_LOST", reason: "taken" });
    expect(events.map(({ type }) => type)).toContain("lost");
  });

  it("is unavailable when the database is", async () => {
    const closed = new pg.Pool({ connectionString: "postgres://127.0.0.1:1/none" });
    expect(await codeOf(createLocks({ store: postgresStore(fromPg(closed)) }).acquire("a"))).toBe(
      "ERR_SLUICE_LOCK_UNAVAILABLE",
    );
    await closed.end();
  });

  it("is refused only when what was had of the other keys is free again", async () => {
    const [asked, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slowToEnd: SqlDatabase = {
      ...db,
      async transaction(work, options) {
        const result = await db.transaction(work, options);
        asked.resolve();
        await ending.promise;
        return result;
      },
    };
    const [free, busy] = [newKey(), newKey()];
    const holder = postgresStore(db);
    await holder.acquire({ keys: [busy], owner: "1", leaseMs });
    let isRefused = false;
    const refusal = postgresStore(slowToEnd).acquire({ keys: [free, busy], owner: "2", leaseMs });
    void refusal.then(() => (isRefused = true));
    const sole = { keys: [free], owner: "3", leaseMs };
    await asked.promise;
    // A round trip later, whoever was refused meanwhile would know.
    expect((await holder.acquire(sole)).granted).toBe(true);
    const wasRefusedEarly = isRefused;
    ending.resolve();
    expect(await refusal).toEqual({ granted: false });
    await holder.release(sole);
    await holder.release({ keys: [busy], owner: "1" });
    expect(wasRefusedEarly).toBe(false);
  });

  it("leaves no session open when it was refused", async () => {
    const store = postgresStore(db);
    const key = newKey();
    await store.acquire({ keys: [key], owner: "1", leaseMs });
    await Promise.all(
      Array.from({ length: 100 }, (_, number) => store.acquire({ keys: [key], owner: `late ${number}`, leaseMs })),
    );
    await store.release({ keys: [key], owner: "1" });
    await until(() => pool.idleCount === pool.totalCount);
    expect(pool.waitingCount).toBe(0);
  });
});

describe("a lock of the caller's transaction", () => {
  it("lasts until the transaction ends, and excludes the other store", async () => {
    const key = newKey();
    const store = postgresStore(db);
    await db.transaction(async (tx) => {
      await lockInTransaction(tx, key);
      expect((await store.acquire({ keys: [key], owner: "1", leaseMs })).granted).toBe(false);
    });
    expect((await store.acquire({ keys: [key], owner: "1", leaseMs })).granted).toBe(true);
    await store.release({ keys: [key], owner: "1" });
  });

  it("that is busy leaves the transaction usable, its settings as they were, and no key taken", async () => {
    const [free, busy] = [newKey(), newKey()];
    const store = postgresStore(db);
    await store.acquire({ keys: [busy], owner: "1", leaseMs });
    await db.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '1234ms'");
      expect(await codeOf(lockInTransaction(tx, [busy, free], { waitMs: 20 }))).toBe("ERR_SLUICE_LOCK_BUSY");
      expect((await store.acquire({ keys: [free], owner: "2", leaseMs })).granted).toBe(true);
      await store.release({ keys: [free], owner: "2" });
      await lockInTransaction(tx, free);
      expect((await tx.query("show lock_timeout")).rows).toEqual([{ lock_timeout: "1234ms" }]);
    });
    await store.release({ keys: [busy], owner: "1" });
  });

  it("is taken in one order, so that transactions do not block each other in a ring", async () => {
    const some = [newKey(), newKey(), newKey()];
    let inside = 0;
    const works = Array.from({ length: 24 }, (_, number) =>
      db.transaction(async (tx) => {
        await lockInTransaction(tx, number % 2 === 0 ? some : some.toReversed(), { waitMs: 20_000 });
        inside += 1;
        expect(inside).toBe(1);
        await tx.query("select 1");
        inside -= 1;
      }),
    );
    await Promise.all(works);
  });
});

describe("a fence in PostgreSQL", () => {
  const holders = { A: "owner a", B: "owner b" } as const;

  it("mints a greater token for every holder, and the same one for the same", async () => {
    const wanted = [newKey(), newKey()];
    const first = await fence.mint({ keys: wanted, owner: "1" }, 1000);
    expect([...(first?.values() ?? [])]).toEqual([1n, 1n]);
    expect(await fence.mint({ keys: wanted, owner: "1" }, 1000)).toEqual(first);
    const next = await fence.mint({ keys: wanted.slice(0, 1), owner: "2" }, 1000);
    expect([...(next?.values() ?? [])]).toEqual([2n]);
  });

  it("fences out a holder that stood still while the next one came", async () => {
    const key = newKey();
    const locks = createLocks({ fence });
    const stale = await locks.acquire(key);
    await stale.release();
    const current = await locks.acquire(key);
    const late = db.transaction(async (tx) => {
      await fence.guard(tx, stale);
      await tx.query("insert into ledger values ($1, 1)", [key]);
    });
    await expect(late).rejects.toMatchObject({ code: "ERR_SLUICE_LOCK_FENCED_OUT", keys: [key] });
    await db.transaction((tx) => fence.guard(tx, current));
    expect((await db.query("select 1 from ledger where key = $1", [key])).rows).toEqual([]);
  });

  it("refuses a lock without tokens, as a degraded one is", async () => {
    const unfenced = await createLocks().acquire("a");
    expect(await codeOf(db.transaction((tx) => fence.guard(tx, unfenced)))).toBe("ERR_SLUICE_LOCK_FENCED_OUT");
  });

  it("keeps every order of the model's steps", async () => {
    for (const { moves, committed } of runs()) {
      const key = newKey();
      await replay(key, moves);
      const { rows } = await db.query<{ token: number }>("select token::int from ledger where key = $1 order by seq", [
        key,
      ]);
      expect(rows.map(({ token }) => token)).toEqual(committed);
    }
  });

  /** Makes the moves of one run, and asks before each whether the other holder is kept waiting where the model says so. */
  async function replay(key: string, moves: readonly Move[]): Promise<void> {
    const sides = { A: createSide(key, "A"), B: createSide(key, "B") };
    try {
      for (const move of moves) {
        const other = sides[move.holder === "A" ? "B" : "A"];
        const isKeptWaiting = sides[move.holder].isGuarded() && other.isBeforeMint();
        expect(isKeptWaiting ? await other.mint(1) : undefined).toBeUndefined();
        await sides[move.holder].make(move);
      }
    } finally {
      await sides.A.close();
      await sides.B.close();
    }
  }

  function createSide(key: string, holder: Holder) {
    const owner = holders[holder];
    let tokens: ReadonlyMap<string, bigint> | undefined;
    let transaction: Open | undefined;
    const mint = (waitMs: number) => fence.mint({ keys: [key], owner }, waitMs);
    const guard = async ({ outcome }: Move): Promise<void> => {
      transaction = await opened(db);
      const held = { keys: [key], owner, tokens: tokens ?? new Map<string, bigint>() };
      const guarded = fence.guard(transaction.tx, held);
      if (outcome === "refused") {
        expect(await codeOf(guarded)).toBe("ERR_SLUICE_LOCK_FENCED_OUT");
        await close();
      } else await guarded;
    };
    const close = async (): Promise<void> => {
      await transaction?.close();
      transaction = undefined;
    };
    const steps: Readonly<Record<Move["step"], (move: Move) => Promise<unknown>>> = {
      mint: async () => (tokens = await mint(5000)),
      guard,
      write: async () => transaction?.tx.query("insert into ledger values ($1, $2)", [key, String(tokens?.get(key))]),
      commit: close,
    };
    return {
      mint,
      close,
      isBeforeMint: () => tokens === undefined,
      isGuarded: () => transaction !== undefined,
      make: (move: Move) => steps[move.step](move),
    };
  }
});

interface Open {
  readonly tx: SqlTransaction;
  readonly close: () => Promise<void>;
}

/** A transaction that a test ends when it likes. */
async function opened(database: SqlDatabase): Promise<Open> {
  const over = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<SqlTransaction>();
  const ended = database.transaction(async (tx) => {
    begun.resolve(tx);
    await over.promise;
  });
  return {
    tx: await begun.promise,
    async close() {
      over.resolve();
      await ended;
    },
  };
}
