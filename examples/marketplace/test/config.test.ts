import { describe, expect, it } from "vitest";

import { printConfig } from "../src/config/print-config.ts";
import { configOf, problemsOf, secret } from "./support/config.ts";

const production = { NODE_ENV: "production", DATABASE_URL: "postgres://app:hunter2@db/shop", SECRET_KEY: secret };

describe("configuration", () => {
  it("needs nothing in development", () => {
    const { config } = configOf({});
    expect(config).toMatchObject({ production: false, role: "all", port: undefined, shutdown: { delayMs: 0 } });
    expect(config.database).toMatchObject({ url: undefined, poolMax: 8, poolTimeoutMs: 5000, seedSize: "S" });
    expect(Buffer.byteLength(config.secretKey)).toBeGreaterThanOrEqual(32);
  });

  it("gives production its own defaults", () => {
    const { config } = configOf(production);
    expect(config).toMatchObject({ host: "0.0.0.0", port: 3000, shutdown: { delayMs: 5000 } });
    expect(config.database.seedSize).toBe("none");
  });

  it("names every variable that production misses, at once", () => {
    const problems = problemsOf({ NODE_ENV: "production", DATABASE_URL: "", PORT: "http" });
    expect(problems.join("\n")).toMatch(/PORT must be a whole number.*"http"/);
    expect(problems.join("\n")).toMatch(/DATABASE_URL must be set/);
    expect(problems.join("\n")).toMatch(/SECRET_KEY must be set/);
  });

  it.each([
    ["PORT", "0"],
    ["PORT", "65536"],
    ["PORT", "1e3"],
    ["DB_POOL_MAX", "-1"],
    ["DB_POOL_MAX", "8.5"],
    ["STATEMENT_TIMEOUT_MS", "3s"],
    ["ENABLE_METRICS", "maybe"],
    ["NODE_ROLE", "webb"],
    ["SEED_SIZE", "XL"],
    ["LOG_LEVEL", "loud"],
    ["CORS_ORIGINS", "*"],
    ["CORS_ORIGINS", "https://a.example,*"],
    ["CORS_ORIGINS", "https://a.example/path"],
    ["REDIS_URL", "http://localhost"],
    ["DATABASE_URL", "mysql://db/shop"],
    ["DATABASE_URL", "postgres://db"],
    ["DATABASE_URL", "postgres://db/shop?sslmode=prefer"],
    ["DATABASE_URL", "postgres://us%er@db/shop"],
    ["SECRET_KEY", "short"],
    ["DB_MAX_LAG_MS", "1999"],
    ["CART_TTL_SECONDS", "0"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector:4318"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318?key=hunter2"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "authorization"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=1,bad name=2"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%0d%0ab: c"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "0"],
    ["OTEL_METRIC_EXPORT_INTERVAL", "1m"],
  ])("refuses %s=%s", (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
  });

  it.each([
    "",
    "redis://r:1",
    "postgres://r1/shop,",
    "postgres://r1/shop,r2/shop",
    "postgres://r1/shop,postgres://r2",
    Array.from({ length: 17 }, (_, index) => `postgres://r${index}/shop`).join(","),
  ])("refuses the replicas %s", (replicas) => {
    const problems = problemsOf({ DATABASE_URL: "postgres://db/shop", DATABASE_REPLICA_URLS: replicas || "," });
    expect(problems).toEqual([expect.stringMatching(/^DATABASE_REPLICA_URLS must be /)]);
  });

  it("takes replicas as it takes the primary", () => {
    const replicas = "postgresql+psycopg://app:a%2Cb@r1/shop , postgres://r2/shop?sslmode=require";
    const { config } = configOf({ DATABASE_URL: "postgres://db/shop", DATABASE_REPLICA_URLS: replicas });
    expect(config.database.replicaUrls).toEqual([
      "postgresql://app:a%2Cb@r1/shop",
      "postgres://r2/shop?sslmode=require&uselibpqcompat=true",
    ]);
    expect(configOf({}).config.database.replicaUrls).toEqual([]);
  });

  it("wants no replicas of the embedded PostgreSQL", () => {
    const problems = problemsOf({ DATABASE_REPLICA_URLS: "postgres://r1/shop" });
    expect(problems).toEqual([expect.stringMatching(/^DATABASE_REPLICA_URLS must come with DATABASE_URL/)]);
  });

  it("sends telemetry where it is told to, and nowhere else", () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector:4318/otlp/" };
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20hunter2, x-tenant=shop" };
    const { config, settings } = configOf({ ...endpoint, ...headers });
    expect(config.otlp).toEqual({
      endpoint: "https://collector:4318/otlp",
      headers: { authorization: "Bearer hunter2", "x-tenant": "shop" },
      timeoutMs: 2000,
      metricsEveryMs: 60_000,
    });
    expect(configOf(headers).config.otlp).toBeUndefined();
    expect(printConfig(settings)).toMatch(/^OTEL_EXPORTER_OTLP_HEADERS +authorization=\*\*\*,x-tenant=\*\*\* +set$/m);
  });

  it("shows no secret in a problem", () => {
    const problems = problemsOf({ DATABASE_URL: "mysql://app:hunter2@db/shop", SECRET_KEY: "hunter2" });
    expect(problems).toHaveLength(2);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  it("falls back to REDIS_URL for every role of Redis", () => {
    const { config, settings } = configOf({ REDIS_URL: "redis://r:1", CELERY_BROKER_URL: "redis://q:2" });
    expect(config.redis).toEqual({
      url: "redis://r:1",
      inventoryUrl: "redis://r:1",
      cacheUrl: "redis://r:1",
      rateLimitUrl: "redis://r:1",
      queueUrl: "redis://q:2",
      queueResultUrl: "redis://r:1",
    });
    const sources = Object.fromEntries(settings.map(({ name, source }) => [name, source]));
    expect(sources).toMatchObject({ CACHE_REDIS_URL: "from REDIS_URL", QUEUE_URL: "from CELERY_BROKER_URL" });
  });

  it("lets a role have a Redis of its own", () => {
    const { config } = configOf({ REDIS_URL: "redis://r:1", CACHE_REDIS_URL: "redis://c:2", QUEUE_URL: "redis://q:3" });
    expect(config.redis).toMatchObject({
      cacheUrl: "redis://c:2",
      queueUrl: "redis://q:3",
      rateLimitUrl: "redis://r:1",
    });
  });

  it("falls back to the default cache time", () => {
    const { config } = configOf({ DEFAULT_CACHE_TTL_SECONDS: "7", FEED_CACHE_TTL_SECONDS: "9" });
    expect(config.cacheTtlSeconds).toEqual({ default: 7, listingDetail: 7, feed: 9 });
  });

  it("takes SQLAlchemy's URL without its driver", () => {
    const { config } = configOf({ SQLALCHEMY_DATABASE_URL: "postgresql+psycopg://app@db:5432/shop" });
    expect(config.database.url).toBe("postgresql://app@db:5432/shop");
  });

  it("prefers DATABASE_URL to its alias", () => {
    const urls = { DATABASE_URL: "postgres://a/one", SQLALCHEMY_DATABASE_URL: "postgres://b/two" };
    expect(configOf(urls).config.database.url).toBe("postgres://a/one");
  });

  it("gives sslmode the meaning it has in libpq", () => {
    const { config } = configOf({ DATABASE_URL: "postgres://db/shop?sslmode=require" });
    expect(new URL(config.database.url ?? "").searchParams.get("uselibpqcompat")).toBe("true");
  });

  it("takes an empty variable for one that is not set", () => {
    expect(configOf({ PORT: "", DATABASE_URL: " ", ENABLE_METRICS: "" }).config.features.metrics).toBe(true);
  });

  it("wants the shutdown to be longer than its delay", () => {
    expect(problemsOf({ SHUTDOWN_DELAY_MS: "100", SHUTDOWN_TIMEOUT_MS: "100" })).toHaveLength(1);
  });

  it("prints what is effective, where it came from, and no secret", () => {
    const replicas = { DATABASE_REPLICA_URLS: "postgres://app:hunter2@r1/shop,postgres://r2/shop" };
    const environment = { ...production, ...replicas, REDIS_URL: "rediss://:hunter2@r:6380/1" };
    const printed = printConfig(configOf(environment).settings);
    expect(printed).toMatch(/^DATABASE_REPLICA_URLS +postgres:\/\/\*\*\*@r1\/shop,postgres:\/\/r2\/shop +set$/m);
    expect(printed).toMatch(/^DATABASE_URL +postgres:\/\/\*\*\*@db\/shop +set$/m);
    expect(printed).toMatch(/^CACHE_REDIS_URL +rediss:\/\/\*\*\*@r:6380\/1 +from REDIS_URL$/m);
    expect(printed).toMatch(/^PORT +3000 +default in production$/m);
    expect(printed).not.toContain("hunter2");
    expect(printed).not.toContain(secret);
  });
});
