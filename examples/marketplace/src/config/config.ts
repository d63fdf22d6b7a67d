import { systemRandom, type Random } from "@sluice/core";

import { authConfig } from "./auth-config.ts";
import { chooser, type Chooser, type Setting } from "./chooser.ts";
import { readHeaders } from "./collector.ts";
import type { Environment } from "./environment.ts";
import { readProxies } from "./proxies.ts";
import { withoutSecrets } from "./service-url.ts";

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
    auth: authConfig(choose),
    database: database(choose, mode),
    redis: redis(choose),
    features: features(choose),
    cacheTtlSeconds: cacheTtlSeconds(choose),
    cacheDeadlineMs: setting("CACHE_DEADLINE_MS", 50),
    carts: carts(choose),
    http: {
      requestTimeoutMs: setting("REQUEST_TIMEOUT_MS", 10_000),
      corsOrigins: setting<"CORS_ORIGINS", string[]>("CORS_ORIGINS", []),
      /** How errors look to clients that do not ask for `application/problem+json`. */
      errorProfile: setting("ERROR_PROFILE", "sluice"),
      /** Which proxies are believed about the client's address. */
      proxies: readProxies(setting("TRUSTED_PROXIES", "")) ?? {},
    },
    orders: orders(choose),
    shutdown: {
      delayMs: setting("SHUTDOWN_DELAY_MS", production ? 5000 : 0, mode),
      timeoutMs: setting("SHUTDOWN_TIMEOUT_MS", 25_000),
    },
    otlp: otlp(choose),
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

function database(choose: Chooser, mode: string) {
  const { environment, setting, address } = choose;
  return {
    /** Undefined: the embedded PostgreSQL. */
    url: address("DATABASE_URL", "SQLALCHEMY_DATABASE_URL"),
    /** The other servers of the same cluster. Which of all is the primary is found out. */
    replicaUrls: replicaUrls(choose),
    maxLagMs: setting("DB_MAX_LAG_MS", 5000),
    /** Where the embedded PostgreSQL keeps its data. Undefined: in the project. */
    dataFolder: setting("MARKETPLACE_DATA", undefined, "the project's .sluice/marketplace"),
    poolMax: setting("DB_POOL_MAX", 8),
    poolTimeoutMs: setting("DB_POOL_TIMEOUT_MS", 5000),
    statementTimeoutMs: setting("STATEMENT_TIMEOUT_MS", 3000),
    slowQueryMs: setting("SLOW_QUERY_MS", 200),
    seedSize: setting("SEED_SIZE", environment.NODE_ENV === "production" ? "none" : "S", mode),
  };
}

function replicaUrls({ environment, note }: Chooser): readonly string[] {
  const given = environment.DATABASE_REPLICA_URLS;
  note("DATABASE_REPLICA_URLS", given?.map(withoutSecrets).join(",") ?? "(none)", given ? "set" : "default");
  return given ?? [];
}

/** Where metrics and spans are sent. Undefined: nowhere. */
function otlp({ environment, setting, address, note }: Chooser) {
  const endpoint = address("OTEL_EXPORTER_OTLP_ENDPOINT");
  const text = environment.OTEL_EXPORTER_OTLP_HEADERS;
  const headers = readHeaders(text ?? "") ?? {};
  const names = Object.keys(headers).map((name) => `${name}=***`);
  note("OTEL_EXPORTER_OTLP_HEADERS", names.join(",") || "(none)", text === undefined ? "default" : "set");
  const timeoutMs = setting("OTEL_EXPORTER_OTLP_TIMEOUT", 2000);
  const metricsEveryMs = setting("OTEL_METRIC_EXPORT_INTERVAL", 60_000);
  return endpoint === undefined ? undefined : { endpoint, headers, timeoutMs, metricsEveryMs };
}

function redis({ address }: Chooser) {
  return {
    url: address("REDIS_URL"),
    cacheUrl: address("CACHE_REDIS_URL", "REDIS_URL"),
    rateLimitUrl: address("RATE_LIMIT_REDIS_URL", "REDIS_URL"),
    inventoryUrl: address("INVENTORY_REDIS_URL", "REDIS_URL"),
    queueUrl: address("QUEUE_URL", "CELERY_BROKER_URL", "REDIS_URL"),
    queueResultUrl: address("QUEUE_RESULT_URL", "CELERY_RESULT_BACKEND", "REDIS_URL"),
  };
}

/** Where carts are kept, and for how long. */
function carts({ environment, setting }: Chooser) {
  return { redisUrl: environment.REDIS_URL, ttlMs: setting("CART_TTL_SECONDS", 30 * 86_400) * 1000 };
}

function orders({ setting, address }: Chooser) {
  return {
    strategy: setting("INVENTORY_STRATEGY", "gate"),
    holdTtlMs: setting("HOLD_TTL_SECONDS", 900) * 1000,
    /** How long the simulated payment provider takes. */
    paymentMs: setting("SIM_PAYMENT_MS", 2000),
    /** Undefined: mails are log lines. */
    smtpUrl: address("SMTP_URL"),
    mailFrom: setting("MAIL_FROM", "orders@marketplace.example"),
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
