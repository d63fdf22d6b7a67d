import { migrate, fromPg, withTransaction, type SqlDatabase } from "@sluice/postgres";
import { createTestDatabase } from "@sluice/testing/vitest";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { memoryStore, type CacheStore } from "../src/index.ts";
import { cacheMigrations, createOutbox, type CacheOutbox, type OutboxOptions } from "../src/postgres/index.ts";
import { heard, rejection, shop, type Shop } from "./support/shop.ts";

let pool: pg.Pool;
let db: SqlDatabase;

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: await createTestDatabase(), max: 8 });
  db = fromPg(pool);
  await migrate(db, { package: "cache", migrations: cacheMigrations });
  await db.script("create table product (id text primary key, version int not null)");
});

afterAll(() => pool.end());

beforeEach(() => db.script("truncate sluice.cache_outbox; delete from product; insert into product values ('a', 1)"));

/** A process before the database: its cache and its outbox. */
function process(store: CacheStore, options: Partial<OutboxOptions> = {}): Shop & { outbox: CacheOutbox } {
  const here = shop({
    cache: { store },
    scope: {
      load: async (id) => {
        const { rows } = await db.query<{ version: number }>("select version from product where id = $1", [id]);
        return { id, version: rows[0]?.version ?? 0 };
      },
    },
  });
  const outbox = createOutbox({ db, cache: here.cache, ...options });
  onTestFinished(() => outbox.close());
  return Object.assign(here, { outbox });
}

async function waiting(): Promise<number> {
  return (await db.query<{ n: number }>("select count(*)::int as n from sluice.cache_outbox")).rows[0]?.n ?? -1;
}

const raise = "update product set version = version + 1 where id = 'a'";

describe("an outbox", () => {
  it("invalidates what a transaction has changed, once it is committed", async () => {
    const store = memoryStore();
    const [one, other] = [process(store), process(store)];
    expect(await other.rows.get("a")).toMatchObject({ version: 1 });
    const result = await one.outbox.transaction(async (tx, invalidate) => {
      await tx.query(raise);
      invalidate([one.rows.entry("a")]);
      invalidate([one.rows.all()]);
      expect(await other.rows.get("a")).toMatchObject({ version: 1 });
      return "done";
    });
    expect(result).toBe("done");
    expect(await other.rows.get("a")).toMatchObject({ version: 2 });
    expect(await waiting()).toBe(0);
  });

  it("does not fail what was committed because the cache was closed meanwhile, and leaves the rest to others", async () => {
    const store = memoryStore();
    const [closed, other] = [process(store), process(store)];
    const before = (await other.rows.get("a")).version;
    await closed.cache.close();
    const result = closed.outbox.transaction(async (tx, invalidate) => {
      await tx.query(raise);
      invalidate([closed.rows.entry("a")]);
      return "done";
    });
    expect(await result).toBe("done");
    expect([await waiting(), await other.outbox.deliver()]).toEqual([1, 1]);
    expect((await other.rows.get("a")).version).toBe(before + 1);
  });

  it("invalidates nothing when the transaction is rolled back", async () => {
    const here = process(memoryStore());
    const row = await here.rows.get("a");
    const failed = here.outbox.transaction(async (tx, invalidate) => {
      await tx.query(raise);
      invalidate([here.rows.entry("a")]);
      throw new Error("changed my mind");
    });
    expect((await rejection(failed)).message).toBe("changed my mind");
    expect(await here.rows.get("a")).toEqual(row);
    expect([await waiting(), here.rows.stats().reads.hit]).toEqual([0, 1]);
  });

  it("names what a rerun names, and not what the run before it did", async () => {
    const here = process(memoryStore());
    const targets: unknown[] = [];
    const outbox = createOutbox({
      db,
      cache: { invalidate: async (named) => (targets.push(...named), { applied: named.length, queued: 0 }) },
    });
    let runs = 0;
    await outbox.transaction(async (tx, invalidate) => {
      runs += 1;
      invalidate([here.rows.entry(`run-${runs}`)]);
      if (runs === 1) throw Object.assign(new Error("a conflict"), { code: "40001" });
      await tx.query(raise);
    });
    expect(targets).toMatchObject([{ keys: ["row:run-2"] }]);
  });

  it("applies what a process has left that died between its commit and its flush", async () => {
    const store = memoryStore();
    const other = process(store, { poll: "1ms" });
    await other.rows.get("a");
    const dying = process(store);
    await withTransaction(db, async (tx) => {
      await tx.query(raise);
      await dying.outbox.add(tx, [dying.rows.entry("a")]);
    });
    await dying.cache.close();
    expect([await waiting(), (await other.rows.get("a")).version]).toEqual([1, 1]);
    expect(await other.outbox.deliver()).toBe(1);
    expect(await other.rows.get("a")).toMatchObject({ version: 2 });
    expect(await waiting()).toBe(0);
  });

  it("keeps what the store cannot be told, and tells it when it can", async () => {
    const events = heard();
    const inner = memoryStore();
    const away = { is: true };
    const store = new Proxy(inner, {
      get(target, name): unknown {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if ((name === "drop" || name === "bump") && away.is) return () => Promise.reject(new Error("away"));
        return member.bind(target);
      },
    });
    const one = process(store);
    await one.outbox.transaction(async (tx, invalidate) => {
      await tx.query(raise);
      invalidate([one.rows.entry("a")]);
    });
    expect(await waiting()).toBe(1);
    expect(await rejection(one.outbox.deliver())).toMatchObject({ code: "ERR_SLUICE_CACHE_INVALIDATION_QUEUED" });
    expect(await waiting()).toBe(1);
    away.is = false;
    expect(await one.outbox.deliver()).toBe(1);
    expect(await waiting()).toBe(0);
    expect(events.some(({ type }) => type === "invalidation-queued")).toBe(true);
  });

  it("is emptied by relays in the background, each row by one of them", async () => {
    const applied: string[] = [];
    const cache: OutboxOptions["cache"] = {
      invalidate: async (targets) => {
        for (const target of targets) applied.push(target.kind === "entry" ? (target.keys[0] ?? "") : target.family);
        return { applied: targets.length, queued: 0 };
      },
    };
    const here = process(memoryStore());
    await db.transaction(async (tx) => {
      for (let index = 0; index < 250; index += 1) await here.outbox.add(tx, [here.rows.entry(`row-${index}`)]);
      await tx.query(`insert into sluice.cache_outbox (targets) values ('{"not":"targets"}'), ('[{"kind":"x"}]')`);
    });
    const events = heard();
    const relays = [1, 2, 3].map(() => createOutbox({ db, cache, poll: "5ms" }));
    for (const relay of relays) relay.start();
    while ((await waiting()) > 0) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(relays.map((relay) => relay.close()));
    expect(applied.length).toBe(250);
    expect(new Set(applied).size).toBe(250);
    expect(events.filter(({ type }) => type === "outbox-refused").length).toBe(2);
  });
});
