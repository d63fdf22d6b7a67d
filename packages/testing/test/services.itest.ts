import { InvalidArgumentError } from "@sluice/core";
import { findPostgres, launchRedis, startPostgres, startRedis, startServices } from "@sluice/testing/services";
import { describeNeeding, service } from "@sluice/testing/vitest";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { describeWithLocalRedis, localRedis } from "./local-redis.ts";
import { isAlive, privateTemporaryFolder, setEnvironment } from "./private-folder.ts";

const silenced = { SLUICE_SERVICES: undefined, DATABASE_URL: undefined, REDIS_URL: undefined };

const postgresOrigins = (await findPostgres()) === undefined ? (["npm"] as const) : (["local", "npm"] as const);
const redisOrigins = localRedis === undefined ? (["npm"] as const) : (["local", "npm"] as const);

describe.each(postgresOrigins)("a PostgreSQL of origin %s", (origin) => {
  it("commits and rolls back, and leaves nothing behind", async () => {
    const left = await privateTemporaryFolder();
    const postgres = await startPostgres({ origin });
    expect(postgres).toMatchObject({ name: "postgres", origin, real: true, passed: [] });
    const client = new pg.Client(postgres.url);
    await client.connect();
    await client.query("create table t (n int); insert into t values (1)");
    await client.query("begin");
    await client.query("update t set n = 2");
    await client.query("rollback");
    expect((await client.query("select n, lower('ÄÖ') as lower from t")).rows).toEqual([{ n: 1, lower: "äö" }]);
    const { rows } = await client.query("select version() as text, current_setting('fsync') as fsync");
    expect(rows).toEqual([{ text: expect.stringContaining(`PostgreSQL ${postgres.version}`), fsync: "off" }]);
    await client.end();
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(isAlive(postgres.pid!)).toBe(false);
    expect(await left()).toEqual([]);
  });

  it("keeps what it acknowledged when it is to be durable", async () => {
    await using postgres = await startPostgres({ origin, durable: true });
    const client = new pg.Client(postgres.url);
    await client.connect();
    const { rows } = await client.query(
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')",
    );
    await client.end();
    expect(rows.map(({ setting }) => setting)).toEqual(["on", "on", "on"]);
  });
});

describe.each(redisOrigins)("a Redis of origin %s", (origin) => {
  it("runs scripts, and leaves nothing behind", async () => {
    const left = await privateTemporaryFolder();
    const redis = await startRedis({ origin });
    expect(redis).toMatchObject({ name: "redis", origin, real: origin === "local" });
    const client = new Redis(redis.url);
    expect(await client.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1, "counter", 5)).toBe(5);
    expect(await client.info("server")).toContain(`redis_version:${redis.version}`);
    client.disconnect();
    await Promise.all([redis.stop(), redis.stop()]);
    await expect(connection(redis.url)).rejects.toThrow("Connection is closed");
    expect(redis.pid !== undefined && isAlive(redis.pid)).toBe(false);
    expect(await left()).toEqual([]);
  });
});

describe("services", () => {
  it("share a machine with a second set of themselves", async () => {
    const left = await privateTemporaryFolder();
    const [first, second] = await Promise.all([startServices({ origin: "npm" }), startServices({ origin: "npm" })]);
    const urls = [first.postgres, first.redis, second.postgres, second.redis].map(({ url }) => url);
    expect(new Set(urls).size).toBe(4);
    await first.stop();
    const client = await connection(second.redis.url);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    await second.stop();
    expect(await left()).toEqual([]);
  });

  it("stop the one that started when the other cannot be had", async () => {
    const left = await privateTemporaryFolder();
    setEnvironment({ ...silenced, DATABASE_URL: "postgres://127.0.0.1:1/none" });
    await expect(startServices()).rejects.toMatchObject({ service: "postgres" });
    expect(await left()).toEqual([]);
  });

  it("fall to the next one when a step cannot serve, and say why", async () => {
    setEnvironment({ ...silenced, SLUICE_REDIS_IMAGE: "127.0.0.1:1/none:1" });
    await using redis = await startRedis();
    expect(redis.origin).toMatch(/^(local|npm)$/);
    expect(redis.passed.slice(0, 2)).toEqual(["url: REDIS_URL is not set", expect.stringMatching(/^docker: ./)]);
  });

  it.each([
    { origin: "url", missing: "url: REDIS_URL is not set" },
    { origin: "docker", missing: "docker: " },
  ] as const)("fail clearly when only $origin may serve and cannot", async ({ origin, missing }) => {
    setEnvironment({ ...silenced, SLUICE_REDIS_IMAGE: "127.0.0.1:1/none:1", SLUICE_SERVICES: origin });
    const failure = startRedis();
    await expect(failure).rejects.toMatchObject({ code: "ERR_SLUICE_SERVICE_UNAVAILABLE", service: "redis" });
    await expect(failure).rejects.toThrow(`No redis to test with.\n  ${missing}`);
  });

  it("refuse a step that does not exist", async () => {
    setEnvironment({ SLUICE_SERVICES: "embedded" });
    await expect(startPostgres()).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(startRedis()).rejects.toThrow('must be one of url, docker, local, npm, got "embedded"');
  });
});

describeWithLocalRedis("a given Redis", (binary) => {
  it("is used with its password and never stopped", async () => {
    await using own = await launchRedis({ binary, settings: { requirepass: "p:ss wörd" } });
    setEnvironment({ ...silenced, REDIS_URL: `redis://:${encodeURIComponent("p:ss wörd")}@127.0.0.1:${own.port}` });
    const redis = await startRedis();
    expect(redis).toMatchObject({ origin: "url", real: true });
    await redis.stop();
    expect(isAlive(own.pid)).toBe(true);
  });

  it("is not replaced when a given server does not work, nor is its password shown", async () => {
    await using own = await launchRedis({ binary, settings: { requirepass: "right" } });
    setEnvironment({ ...silenced, REDIS_URL: `redis://:hunter2@127.0.0.1:${own.port}` });
    const failure: Error = await startRedis().then(
      () => new Error("it started"),
      (error: Error) => error,
    );
    expect(failure.message).toMatch(/url: the server cannot be used: WRONGPASS/);
    expect(failure.message).not.toMatch(/hunter2|local:/);
  });
});

describe("a given PostgreSQL", () => {
  it("keeps the password of its URL secret when nobody is there", async () => {
    setEnvironment({ ...silenced, DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/shop" });
    const failure: Error = await startPostgres().then(
      () => new Error("it started"),
      (error: Error) => error,
    );
    expect(failure.message).toContain("url: the server cannot be used: connect ECONNREFUSED");
    expect(failure.message).not.toContain("hunter2");
  });

  it("does not serve a durable suite when it may lose data", async () => {
    await using own = await startPostgres({ origin: "npm" });
    setEnvironment({ ...silenced, DATABASE_URL: own.url });
    const failure = startPostgres({ origin: "url", durable: true });
    await expect(failure).rejects.toThrow("url: the server may lose what it has acknowledged");
  });
});

describe("the stand-in for Redis", () => {
  it("lacks what its mark says it lacks", async () => {
    await using redis = await startRedis({ origin: "npm" });
    const client = new Redis(redis.url);
    await client.set("key", "value");
    await expect(client.object("ENCODING", "key")).rejects.toThrow("unknown command");
    await expect(client.wait(0, 1)).rejects.toThrow("unknown command");
    client.disconnect();
  });
});

describeNeeding({ redis: "real" }, "a real Redis", () => {
  it("knows what the stand-in does not", async () => {
    const client = new Redis(service("redis").url);
    const key = `sluice:testing:${process.pid}`;
    await client.set(key, "12", "EX", 60);
    expect(await client.object("ENCODING", key)).toBe("int");
    expect(await client.wait(0, 1)).toBe(0);
    expect(await client.client("TRACKING", "ON")).toBe("OK");
    await client.del(key);
    client.disconnect();
  });
});

async function connection(url: string): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
