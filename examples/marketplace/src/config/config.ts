import { systemRandom, type Random } from "@sluice/core";

import { chooser, type Chooser, type Setting } from "./chooser.ts";
import type { Environment } from "./environment.ts";

/** What a process does: answer requests, run jobs, schedule them, or all three. */
export type Role = "all" | "web" | "worker" | "cron";

/** How much seed data an empty database gets. */
export type SeedSize = "S" | "M" | "none";

/** Everything that the environment decides. Units: ms, unless the name says otherwise. */
export type Config = ReturnType<typeof effective>["config"];

/** Fills the gaps of an environment: defaults, and the fallbacks from one variable to another. */
export function effective(environment: Environment, random: Random = systemRandom) {
  const choose = chooser(environment);
  const { setting } = choose;
  const production = setting("NODE_ENV", "development") === "production";
  const mode = production ? "default in production" : "default in development";
  const config = {
    production,
    role: setting("NODE_ROLE", "all"),
    host: setting("HOST", production ? "0.0.0.0" : "127.0.0.1", mode),
    /** Undefined: 3000, or the next free one. */
    port: setting("PORT", production ? 3000 : undefined, production ? mode : "3000, or the next free one"),
    secretKey: secretKey(choose, random),
    database: database(choose, mode),
    redis: redis(choose),
    features: features(choose),
    cacheTtlSeconds: cacheTtlSeconds(choose),
    http: {
      requestTimeoutMs: setting("REQUEST_TIMEOUT_MS", 10_000),
      corsOrigins: setting<"CORS_ORIGINS", string[]>("CORS_ORIGINS", []),
    },
    shutdown: {
      delayMs: setting("SHUTDOWN_DELAY_MS", production ? 5000 : 0, mode),
      timeoutMs: setting("SHUTDOWN_TIMEOUT_MS", 25_000),
    },
    logLevel: setting("LOG_LEVEL", "info"),
  };
  const settings: readonly Setting[] = choose.settings.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { config, settings };
}

function secretKey({ environment, note }: Chooser, random: Random): string {
  const given = environment.SECRET_KEY;
  const key = given ?? Buffer.from(random.bytes(32)).toString("base64url");
  note("SECRET_KEY", `(${Buffer.byteLength(key)} bytes)`, given === undefined ? "random, for this start" : "set");
  return key;
}

function database({ environment, setting, address }: Chooser, mode: string) {
  return {
    /** Undefined: the embedded PostgreSQL. */
    url: address("DATABASE_URL", "SQLALCHEMY_DATABASE_URL"),
    /** Where the embedded PostgreSQL keeps its data. Undefined: in the project. */
    dataFolder: setting("MARKETPLACE_DATA", undefined, "the project's .sluice/marketplace"),
    poolMax: setting("DB_POOL_MAX", 8),
    poolTimeoutMs: setting("DB_POOL_TIMEOUT_MS", 5000),
    statementTimeoutMs: setting("STATEMENT_TIMEOUT_MS", 3000),
    slowQueryMs: setting("SLOW_QUERY_MS", 200),
    seedSize: setting("SEED_SIZE", environment.NODE_ENV === "production" ? "none" : "S", mode),
  };
}

function redis({ address }: Chooser) {
  return {
    url: address("REDIS_URL"),
    cacheUrl: address("CACHE_REDIS_URL", "REDIS_URL"),
    rateLimitUrl: address("RATE_LIMIT_REDIS_URL", "REDIS_URL"),
    queueUrl: address("QUEUE_URL", "CELERY_BROKER_URL", "REDIS_URL"),
    queueResultUrl: address("QUEUE_RESULT_URL", "CELERY_RESULT_BACKEND", "REDIS_URL"),
  };
}

function features({ setting }: Chooser) {
  return {
    cache: setting("ENABLE_CACHE", true),
    rateLimit: setting("ENABLE_RATE_LIMIT", true),
    idempotencyEnforcement: setting("ENABLE_IDEMPOTENCY_ENFORCEMENT", true),
    paystackWebhookQueue: setting("PAYSTACK_WEBHOOK_QUEUE", true),
    termiiQueue: setting("TERMII_QUEUE", true),
    metrics: setting("ENABLE_METRICS", true),
  };
}

function cacheTtlSeconds({ setting }: Chooser) {
  const byDefault = setting("DEFAULT_CACHE_TTL_SECONDS", 60);
  return {
    default: byDefault,
    listingDetail: setting("LISTING_DETAIL_CACHE_TTL_SECONDS", byDefault, "from DEFAULT_CACHE_TTL_SECONDS"),
    feed: setting("FEED_CACHE_TTL_SECONDS", byDefault, "from DEFAULT_CACHE_TTL_SECONDS"),
  };
}
