import { systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { frozen } from "@sluice/testing/faults";
import type { LaunchedRedis } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it, onTestFinished } from "vitest";

import { createLocks } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { admin, behindProxy, locksAt, ownServer } from "./own-redis.ts";
import { codeOf, heard } from "./support.ts";
import { until } from "./until.ts";

const leaseMs = 60_000;

describeNeeding({ redis: "real" }, "a lock in Redis", () => {
  it("is denied while Redis refuses connections, at once from the second call on", async () => {
    const server = await ownServer();
    await server.stop();
    const locks = locksAt({ url: server.url });
    expect(await codeOf(locks.acquire("a"))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    const startedMs = systemClock.monotonic();
    for (let call = 0; call < 100; call += 1) {
      expect(await codeOf(locks.acquire("a"))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    }
    expect(systemClock.monotonic() - startedMs).toBeLessThan(500);
  });

  it("is spared where work may go on without it", async () => {
    const server = await ownServer();
    await server.stop();
    const locks = locksAt({ url: server.url }, { onStoreError: "allow" });
    expect(await locks.withLock("a", ({ degraded }) => degraded)).toBe(true);
  });

  it("survives a Redis that is frozen for less than the lease, and is lost when it is for longer", async () => {
    const server = await ownServer();
    const locks = locksAt({ url: server.url, deadlineMs: 50 }, { leaseMs: 1000 });
    const events = heard();
    const held = await locks.acquire("a");
    await frozen(server.pid, () => until(() => events.some(({ type }) => type === "extend-failed")));
    await until(() => held.remainingMs() > 700);
    expect(held.signal.aborted).toBe(false);
    await frozen(server.pid, () => until(() => held.signal.aborted));
    expect(held.signal.reason).toMatchObject({ code: "ERR_SLUICE_LOCK_LOST" });
    await held.release();
  });

  it("whose grant got lost on the way is given back, and not held until its lease ends", async () => {
    const { server, proxy } = await behindProxy();
    const [lossy, direct] = [locksAt({ url: proxy.url(server.url) }), locksAt({ url: server.url })];
    await (await lossy.acquire("warm")).release();
    const lost = proxy.loseReplyAfter((request) => request.includes("lock:a"));
    expect(await codeOf(lossy.acquire("a", { leaseMs }))).toBe("ERR_SLUICE_LOCK_UNAVAILABLE");
    await lost.lift();
    const held = await direct.acquire("a", { waitMs: 10_000 });
    expect(held.remainingMs()).toBeGreaterThan(0);
  });

  it("passes on when it is let go of, without waiting for a poll", async () => {
    const server = await ownServer();
    const [one, other] = [locksAt({ url: server.url }), locksAt({ url: server.url }, { pollMs: 60_000 })];
    const held = await one.acquire("a", { leaseMs });
    const startedMs = systemClock.monotonic();
    const waiting = other.acquire("a", { leaseMs, waitMs: 30_000 });
    const client = admin(server);
    await until(async () => (await client.pubsub("NUMSUB", "lock:a"))[1] === 1);
    await held.release();
    await (await waiting).release();
    expect(systemClock.monotonic() - startedMs).toBeLessThan(5000);
  });

  it("is woken by a release that came before its subscription was live", async () => {
    const { server, proxy } = await behindProxy();
    const holder = locksAt({ url: server.url });
    const commands = connectRedis(server.url);
    const listener = connectRedis(proxy.url(server.url));
    onTestFinished(() => commands.close());
    onTestFinished(() => listener.close());
    const store = redisStore({ ...listener, run: commands.run.bind(commands), resends: false, sharded: false });
    const held = await holder.acquire("a", { leaseMs });
    const slow = proxy.latency({ delayMs: 60_000 });
    const waiting = createLocks({ store, pollMs: 60_000 }).acquire("a", { waitMs: 60_000 });
    await proxy.until(({ held: waits }) => waits.requests > 0);
    await held.release();
    await slow.lift();
    expect((await waiting).remainingMs()).toBeGreaterThan(0);
  });

  it("passes on by asking when the waiters' subscription hears nothing", async () => {
    const { server, proxy } = await behindProxy();
    const direct = locksAt({ url: server.url });
    const commands = connectRedis(server.url);
    const listener = connectRedis(proxy.url(server.url));
    onTestFinished(() => commands.close());
    onTestFinished(() => listener.close());
    // Commands arrive; only the subscription goes through the proxy, which swallows everything.
    const halfDeaf = { ...listener, run: commands.run.bind(commands), resends: false, sharded: false };
    const held = await direct.acquire("a", { leaseMs });
    proxy.blackhole();
    const waiting = createLocks({ store: redisStore(halfDeaf), pollMs: 50 }).acquire("a", { waitMs: 30_000 });
    await held.release();
    expect((await waiting).remainingMs()).toBeGreaterThan(0);
  });

  it("is one command for all that is acquired in a turn", async () => {
    const server = await ownServer();
    const locks = locksAt({ url: server.url });
    await (await locks.acquire("warm")).release();
    const before = await scriptCalls(server);
    const held = await Promise.all(Array.from({ length: 100 }, (_, number) => locks.acquire(`key ${number}`)));
    // The first batch is refused once, since it brings a script that the server does not know yet.
    expect((await scriptCalls(server)) - before).toBeLessThanOrEqual(2);
    await Promise.all(held.map((lock) => lock.release()));
  });

  it("is handed over between processes for three commands each, and no new subscription", async () => {
    const server = await ownServer();
    const sides = [locksAt({ url: server.url }, { pollMs: 60_000 }), locksAt({ url: server.url }, { pollMs: 60_000 })];
    const client = admin(server);
    const calls = async () => scriptCallsIn(await client.info("commandstats"));
    const handOver = async (turns: number): Promise<void> => {
      let held = await sides[0]?.acquire("a", { leaseMs });
      for (let turn = 1; turn <= turns; turn += 1) {
        const asked = await calls();
        const waiting = sides[turn % 2]?.acquire("a", { leaseMs, waitMs: 30_000 });
        await until(async () => (await calls()) > asked && (await client.pubsub("NUMSUB", "lock:a"))[1] !== 0);
        await held?.release();
        held = await waiting;
      }
      await held?.release();
    };
    // Now the server knows the scripts, and both sides have a subscription that lingers.
    await handOver(2);
    const before = await calls();
    const turns = 10;
    await handOver(turns);
    // Each asks, asks again when it is told that the lock is free, and lets go.
    expect((await calls()) - before).toBeLessThanOrEqual(3 * (turns + 1));
  });

  it("leaves no key behind that does not expire", async () => {
    const server = await ownServer();
    const redis = connectRedis(server.url);
    onTestFinished(() => redis.close());
    const store = redisStore(redis);
    await store.acquire({ keys: ["a", "b"], owner: "1", leaseMs: 5000 });
    await store.extend({ keys: ["a", "b"], owner: "1", leaseMs: 6000 });
    for (const key of ["lock:a", "lock:b"]) {
      const leftMs = Number(await redis.read("PTTL", [key]));
      expect(leftMs).toBeGreaterThan(5000);
      expect(leftMs).toBeLessThanOrEqual(6000);
    }
  });

  it("is not taken from a foreign key that never expires", async () => {
    const server = await ownServer();
    const redis = connectRedis(server.url);
    onTestFinished(() => redis.close());
    await admin(server).set("lock:a", "theirs");
    const store = redisStore(redis);
    expect(await store.acquire({ keys: ["a"], owner: "1", leaseMs: 5000 })).toEqual({ granted: false, freeInMs: 5000 });
    expect(await store.release({ keys: ["a"], owner: "1" })).toBe(false);
  });
});

async function scriptCalls(server: LaunchedRedis): Promise<number> {
  return scriptCallsIn(await admin(server).info("commandstats"));
}

function scriptCallsIn(stats: string): number {
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
