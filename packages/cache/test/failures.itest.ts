import { sleep, systemClock } from "@sluice/core";
import { fromIoredis } from "@sluice/redis/ioredis";
import { createFaultProxy, frozen, respProtocol } from "@sluice/testing/faults";
import { describeNeeding } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";

import { connected, member, ownServer, Table, timed, until, type Member } from "./support/fleet.ts";

/** A client to administer a server with. */
function adminOf(url: string): Ioredis {
  const admin = new Ioredis(url);
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** Reads in a loop until the work has ended. */
async function readingDuring(members: readonly Member[], table: Table, work: () => Promise<unknown>): Promise<void> {
  const state = { isOver: false };
  const loop = async (each: Member, offset: number): Promise<void> => {
    for (let turn = offset; !state.isOver; turn += 1) {
      await table.read(each, `row-${turn % 5}`);
      await sleep(systemClock, 1);
    }
  };
  const loops = members.flatMap((each, index) => [loop(each, index), loop(each, index + 2)]);
  await work().finally(() => (state.isOver = true));
  await Promise.all(loops);
}

describeNeeding({ redis: "real" }, "when Redis fails", () => {
  it("reads load from the database when Redis is down at the start, with a client of the user's and its defaults", async () => {
    const server = await ownServer();
    await server.stop();
    const client = new Ioredis(server.url);
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const table = new Table();
    const here = await member({ table, redis: fromIoredis(client), deadlineMs: 50 });
    const ms = await timed(async () => {
      for (let read = 0; read < 20; read += 1) expect(await here.rows.get("a")).toBe(0);
    });
    expect(ms).toBeLessThan(2000);
    expect(here.rows.stats().reads.degraded).toBe(20);
    await ownServer(server.port);
    await until(async () => {
      await here.rows.get("a");
      return here.rows.stats().reads.hit > 0;
    });
  });

  it(
    "does not let a value come back that was invalidated while Redis was frozen under load",
    { timeout: 60_000 },
    async () => {
      const server = await ownServer();
      const table = new Table();
      const [reader, writer] = [
        await member({ table, redis: connected({ url: server.url }), deadlineMs: 50 }),
        await member({ table, redis: connected({ url: server.url }), deadlineMs: 50 }),
      ];
      let queued = 0;
      const slow: number[] = [];
      await readingDuring([reader, writer], table, async () => {
        await sleep(systemClock, 200);
        await frozen(server.pid, async () => {
          const untilMs = systemClock.monotonic() + 5000;
          for (let turn = 0; systemClock.monotonic() < untilMs; turn += 1) {
            const target = turn % 2 === 0 ? writer.rows.entry(`row-${turn % 5}`) : writer.rows.all();
            if (!(await table.write(writer, `row-${turn % 5}`, target))) queued += 1;
            // What this process has written it never reads otherwise, though Redis could not be told.
            slow.push(
              await timed(async () =>
                expect(await writer.rows.get(`row-${turn % 5}`)).toBe(table.load(`row-${turn % 5}`)),
              ),
            );
            await sleep(systemClock, 20);
          }
        });
        await until(async () => (await writer.cache.invalidate([writer.rows.all()])).queued === 0);
      });
      expect(queued).toBeGreaterThan(10);
      expect(slow.toSorted((one, other) => one - other)[Math.floor(slow.length / 2)]).toBeLessThan(20);
      expect(table.stale).toEqual([]);
      await until(async () => {
        const read = await Promise.all([0, 1, 2, 3, 4].map((row) => reader.rows.get(`row-${row}`)));
        return read.every((version, row) => version === table.load(`row-${row}`));
      });
    },
  );

  it(
    "loses generations, leases, records and everything under load, and nothing else",
    { timeout: 60_000 },
    async () => {
      const server = await ownServer();
      const admin = adminOf(server.url);
      const table = new Table();
      const members = await Promise.all(
        [0, 1, 2].map(() =>
          member({ table, redis: connected({ url: server.url, deadlineMs: 5000 }), deadlineMs: 5000 }),
        ),
      );
      await readingDuring(members, table, async () => {
        for (let turn = 0; turn < 300; turn += 1) {
          const writer = members[turn % 3] as Member;
          const target = turn % 3 === 0 ? writer.rows.all() : writer.rows.entry(`row-${turn % 5}`);
          await table.write(writer, `row-${turn % 5}`, target);
          const pattern = ["sl:*", "*}:l", "v1:rows:*"][turn % 4];
          const keys = pattern === undefined ? [] : await admin.keys(pattern);
          if (keys.length > 0) await admin.del(...keys);
          if (turn % 20 === 19) await admin.flushall();
        }
      });
      expect(table.stale).toEqual([]);
      expect(members.map(({ rows }) => rows.stats().reads.degraded)).toEqual([0, 0, 0]);
    },
  );

  it("a record that is damaged or another key's is a miss, and repaired", async () => {
    const server = await ownServer();
    const admin = adminOf(server.url);
    const table = new Table();
    const here = await member({ table, redis: connected({ url: server.url }) });
    const key = here.rows.entry("a").key;
    const harms: readonly (() => Promise<unknown>)[] = [
      () => admin.set(key, Buffer.from([0x53, 0x4c, 1, 0, 255, 254])),
      () => admin.set(key, "x".repeat(300)),
      async () => admin.set(key, ((await admin.getBuffer(key)) ?? Buffer.of()).subarray(0, 50)),
      () => admin.copy(here.rows.entry("b").key, key, "REPLACE"),
      async () => admin.multi().del(key).rpush(key, "a list").exec(),
      async () => admin.multi().del(key).hset(key, "a", "hash").exec(),
    ];
    for (const [turn, harm] of harms.entries()) {
      await here.rows.getMany(["a", "b"]);
      await harm();
      table.loads = 0;
      expect(await here.rows.get("a")).toBe(0);
      expect(await here.rows.get("a")).toBe(0);
      expect([turn, table.loads]).toEqual([turn, 1]);
    }
  });

  it("is full and evicts nothing, invalidations are applied all the same", async () => {
    const server = await ownServer();
    const admin = adminOf(server.url);
    const table = new Table();
    const scope = { groups: (id: string) => ({ initial: id.slice(0, 1) }) };
    const here = await member({ table, scope, redis: connected({ url: server.url }) });
    const there = await member({ table, scope, redis: connected({ url: server.url }) });
    const targets = [
      here.rows.all(),
      here.rows.group({ initial: "a" }),
      here.rows.entry("a"),
      here.cache.prefix("v1:rows"),
    ];
    for (const target of targets) {
      await admin.config("SET", "maxmemory", 0);
      await table.read(here, "a");
      await table.read(there, "a");
      await admin.config("SET", "maxmemory", 1);
      expect(await table.write(here, "a", target)).toBe(true);
      await table.read(there, "a");
      await table.read(here, "a");
    }
    expect(table.stale).toEqual([]);
    expect(there.rows.stats().reads.degraded).toBeGreaterThan(0);
    await admin.config("SET", "maxmemory", 0);
    await table.read(here, "a");
    await table.read(there, "a");
    expect(there.rows.stats().reads.hit).toBeGreaterThan(0);
  });

  it("holds something else under the keys of generations and leases, that is repaired", async () => {
    const server = await ownServer();
    const admin = adminOf(server.url);
    const table = new Table();
    const here = await member({ table, redis: connected({ url: server.url }) });
    const { key } = here.rows.entry("a");
    for (const other of ["sl:{rows}:g", "sl:{rows}:s:rows", `{${key}}:l`]) {
      await admin.multi().del(key, other).hset(other, "a", "hash").exec();
      table.loads = 0;
      expect(await table.read(here, "a")).toBeGreaterThanOrEqual(0);
      expect(await table.read(here, "a")).toBeGreaterThanOrEqual(0);
      expect([other, table.loads]).toEqual([other, 1]);
    }
    await admin.multi().del("sl:{rows}:g").hset("sl:{rows}:g", "a", "hash").exec();
    expect(await here.cache.flush("v1:rows", { maxStale: "1m" })).toEqual({ applied: 1, queued: 0 });
    expect(here.rows.stats().reads.degraded).toBe(0);
  });

  it("many processes load once for all who ask at once", async () => {
    const server = await ownServer();
    const table = new Table();
    const load = async (id: string): Promise<number> => {
      const version = table.load(id);
      await sleep(systemClock, 150);
      return version;
    };
    const members = await Promise.all(
      [0, 1, 2, 3].map(() =>
        member({ table, redis: connected({ url: server.url, deadlineMs: 5000 }), deadlineMs: 5000, scope: { load } }),
      ),
    );
    await Promise.all(members.flatMap((each) => Array.from({ length: 500 }, () => table.read(each, "hot"))));
    expect(table.loads).toBe(1);
  });
});

describeNeeding({ redis: "real" }, "when announcements are cut off", () => {
  const l1 = { maxAge: "1h", maxLag: "1500ms" } as const;

  /** A process with copies whose subscription goes through a proxy, another one that writes, and the server's admin. */
  async function pair() {
    const server = await ownServer();
    const proxy = await createFaultProxy({
      upstream: { host: "127.0.0.1", port: server.port },
      protocol: respProtocol,
    });
    onTestFinished(() => proxy.close());
    const direct = connected({ url: server.url });
    const listening = connected({ url: proxy.url(server.url), heartbeatMs: 300 });
    const redis = Object.assign(Object.create(direct) as typeof direct, {
      subscribe: listening.subscribe.bind(listening),
    });
    const table = new Table();
    const reader = await member({ table, redis, cache: { l1 } });
    const writer = await member({ table, redis: connected({ url: server.url }) });
    const entry = reader.rows.entry("a");
    // What is read before the subscription stands is not copied.
    await until(async () => (await entry.get()) === 0 && entry.peek() === 0);
    return { proxy, table, reader, writer, entry, admin: adminOf(server.url) };
  }

  it("copies are not read for longer than maxLag when the connection goes silent", { timeout: 30_000 }, async () => {
    const { proxy, table, writer, entry } = await pair();
    const hole = proxy.blackhole();
    await table.write(writer, "a");
    const writtenMs = systemClock.monotonic();
    let lastOldMs = writtenMs;
    while (systemClock.monotonic() < writtenMs + 2500) {
      if ((await entry.get()) === 0) lastOldMs = systemClock.monotonic();
      await sleep(systemClock, 5);
    }
    expect(lastOldMs - writtenMs).toBeLessThan(1500 + 100);
    expect(await entry.get()).toBe(1);
    await hole.lift();
    await until(async () => (await entry.get()) === 1 && entry.peek() === 1);
  });

  it(
    "copies are forgotten when the connection is killed, and made again when there is another",
    { timeout: 30_000 },
    async () => {
      const { table, writer, entry, admin } = await pair();
      await admin.call("CLIENT", ["KILL", "TYPE", "pubsub"]);
      await table.write(writer, "a");
      await until(async () => (await entry.get()) === 1 && entry.peek() === 1, 5000);
      await table.write(writer, "a");
      await until(() => entry.peek() === undefined || entry.peek() === 2, 5000);
      expect(await entry.get()).toBe(2);
    },
  );
});
