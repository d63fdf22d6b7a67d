import { randomUUID } from "node:crypto";

import { createFakeClock } from "@sluice/testing";
import {
  createFaultProxy,
  postgresProtocol,
  respProtocol,
  type FaultProxy,
  type FaultProxyOptions,
} from "@sluice/testing/faults";
import { createTestDatabase, service } from "@sluice/testing/vitest";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, it } from "vitest";

async function proxyTo(url: string, options: Omit<FaultProxyOptions, "upstream"> = {}): Promise<FaultProxy> {
  const { hostname, port } = new URL(url);
  return createFaultProxy({ ...options, upstream: { host: hostname, port: Number(port) } });
}

function redisAt(url: string, options: object = {}): Redis & AsyncDisposable {
  const redis = new Redis(url, { retryStrategy: () => null, autoResendUnfulfilledCommands: false, ...options });
  redis.on("error", () => undefined);
  return Object.assign(redis, {
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  });
}

async function postgresAt(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end().catch(() => undefined) });
}

const freshKey = (): string => `fault:${randomUUID()}`;

describe("ioredis through a fault proxy", () => {
  const { url: redisUrl } = service("redis");

  it("gets its answer when the latency has passed and not before", async () => {
    const clock = createFakeClock();
    await using slow = await proxyTo(redisUrl, { clock });
    await using redis = redisAt(slow.url(redisUrl));
    await redis.ping();
    slow.latency({ delayMs: 250, direction: "replies" });
    let answer: string | undefined;
    const pong = redis.ping().then((text) => (answer = text));
    await slow.until(({ held }) => held.replies > 0);
    await clock.advance(249);
    expect(answer).toBeUndefined();
    await clock.advance(1);
    await expect(pong).resolves.toBe("PONG");
  });

  it("loses the answer to work that was done", async () => {
    await using proxy = await proxyTo(redisUrl, { protocol: respProtocol });
    const url = proxy.url(redisUrl);
    await using direct = redisAt(redisUrl);
    await using redis = redisAt(url);
    const key = freshKey();
    const loss = proxy.loseReplyAfter((request) => /incr/i.test(request.toString()));
    await expect(redis.incr(key)).rejects.toThrow(/closed/);
    expect(loss.lost).toBe(1);
    await expect(direct.get(key)).resolves.toBe("1");
  });

  it("resends by default, so that lost answers do the work twice", async () => {
    await using proxy = await proxyTo(redisUrl);
    const url = proxy.url(redisUrl);
    await using redis = redisAt(url, { autoResendUnfulfilledCommands: true, retryStrategy: () => 0 });
    const loss = proxy.loseReplyAfter((request) => /incr/i.test(request.toString()));
    await expect(redis.incr(freshKey())).resolves.toBe(2);
    expect(loss.lost).toBe(1);
  });

  it("gets the answers to the commands pipelined before the lost one", async () => {
    await using proxy = await proxyTo(redisUrl, { protocol: respProtocol });
    const url = proxy.url(redisUrl);
    await using direct = redisAt(redisUrl);
    await using redis = redisAt(url);
    const [first, second, third] = [freshKey(), freshKey(), freshKey()];
    await redis.ping();
    proxy.loseReplyAfter((request) => request.includes(second));
    const outcomes = await Promise.allSettled([redis.incr(first), redis.incr(second), redis.incr(third)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await expect(direct.mget(first, second, third)).resolves.toEqual(["1", "1", "1"]);
  });

  it("is refused, and is back once it may connect again", async () => {
    await using proxy = await proxyTo(redisUrl);
    const url = proxy.url(redisUrl);
    const refusal = await proxy.refuse();
    await using refused = redisAt(url, { lazyConnect: true });
    await expect(refused.connect()).rejects.toThrow(/closed|ECONNREFUSED/);
    expect(proxy.traffic().accepted).toBe(0);
    await refusal.lift();
    await expect(refused.connect().then(() => refused.ping())).resolves.toBe("PONG");
  });

  it("notices a reset at once and a blackhole never", async () => {
    await using proxy = await proxyTo(redisUrl);
    const url = proxy.url(redisUrl);
    await using redis = redisAt(url, { maxRetriesPerRequest: 0 });
    await redis.ping();
    proxy.blackhole();
    const unanswered = redis.ping();
    await proxy.until(({ held }) => held.requests > 0);
    expect(redis.status).toBe("ready");
    expect(proxy.reset()).toBe(1);
    await expect(unanswered).rejects.toThrow(/closed/);
  });

  it("reads an answer that comes byte by byte", async () => {
    await using proxy = await proxyTo(redisUrl);
    const url = proxy.url(redisUrl);
    await using redis = redisAt(url);
    await redis.ping();
    proxy.slice({ bytes: 1, gapMs: 0 });
    await expect(redis.ping("a string of some length")).resolves.toBe("a string of some length");
  });
});

describe("pg through a fault proxy", () => {
  it("loses the answer to a COMMIT that was done", async () => {
    const databaseUrl = await createTestDatabase();
    await using proxy = await proxyTo(databaseUrl, { protocol: postgresProtocol });
    const url = proxy.url(databaseUrl);
    await using direct = await postgresAt(databaseUrl);
    await using client = await postgresAt(url);
    await client.query("create table orders (id integer)");
    const loss = proxy.loseReplyAfter((request) => request.includes("commit"));
    await client.query("begin");
    await client.query("insert into orders values ($1)", [1]);
    await expect(client.query("commit")).rejects.toThrow("ECONNRESET");
    expect(loss.lost).toBe(1);
    await expect(direct.query("select id from orders")).resolves.toMatchObject({ rows: [{ id: 1 }] });
  });

  it("loses an answer of many pieces only once all of it is there", async () => {
    const databaseUrl = await createTestDatabase();
    await using proxy = await proxyTo(databaseUrl, { protocol: postgresProtocol });
    const url = proxy.url(databaseUrl);
    await using direct = await postgresAt(databaseUrl);
    await using client = await postgresAt(url);
    await client.query("create table sent (id integer)");
    proxy.loseReplyAfter((request) => request.includes("returning"));
    // Far more than a socket buffers: the statement ends only after most of its answer was read.
    const insert = "insert into sent select g from generate_series(1, 200000) g returning id, repeat('x', 100)";
    await expect(client.query(insert)).rejects.toThrow("ECONNRESET");
    await expect(direct.query("select count(*)::int as rows from sent")).resolves.toMatchObject({
      rows: [{ rows: 200_000 }],
    });
  });

  it("leaves its session behind when the server never hears of its end", async () => {
    const databaseUrl = await createTestDatabase();
    await using proxy = await proxyTo(databaseUrl);
    const url = proxy.url(databaseUrl);
    await using direct = await postgresAt(databaseUrl);
    const client = await postgresAt(url);
    await client.query("begin; select pg_advisory_xact_lock(7)");
    proxy.halfOpen({ direction: "requests" });
    // Dropped, not ended: no farewell message, as when the host loses its power.
    client.connection.stream.destroy();
    const isLocked = "select not pg_try_advisory_xact_lock(7) as locked";
    await expect(direct.query(isLocked)).resolves.toMatchObject({ rows: [{ locked: true }] });
    await proxy.close();
    await expect(direct.query("select pg_advisory_xact_lock(7)")).resolves.toBeDefined();
  });
});
