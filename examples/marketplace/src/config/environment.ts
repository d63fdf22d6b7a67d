import { parseDuration } from "@sluice/core";
import { z } from "zod";

import { emailAddress } from "../modules/auth/email-address.ts";
import { newPassword } from "../modules/auth/password.ts";
import { readCollectorUrl, readHeaders } from "./collector.ts";
import { readProxies } from "./proxies.ts";
import { readPostgresUrl, readPostgresUrls, readRedisUrl, readSmtpUrl } from "./service-url.ts";

/** A variable whose text is read by `read`; undefined from it means that the text is not `expected`. */
function text<T>(expected: string, read: (text: string) => T | undefined) {
  const reader = z.string().transform((value, context) => {
    const result = read(value.trim());
    if (result !== undefined) return result;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
  return reader.optional();
}

function whole(from: number, to: number) {
  return text(`a whole number from ${from} to ${to}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= from && number <= to ? number : undefined;
  });
}

function oneOf<const Name extends string>(...names: readonly Name[]) {
  return text(`one of ${names.join(", ")}`, (value) => names.find((name) => name === value));
}

const flagValues = new Map([
  ["true", true],
  ["1", true],
  ["on", true],
  ["yes", true],
  ["false", false],
  ["0", false],
  ["off", false],
  ["no", false],
]);
const flag = text("true or false", (value) => flagValues.get(value.toLowerCase()));

const postgresUrl = text(
  "a postgres:// URL with a host and a database, and sslmode disable, require, verify-ca or verify-full",
  readPostgresUrl,
);
const postgresUrls = text(
  "at most 16 URLs, each as DATABASE_URL would be, separated by commas; a comma inside of one is %2C",
  readPostgresUrls,
);
const redisUrl = text("a redis:// or rediss:// URL", readRedisUrl);
const smtpUrl = text("an smtp:// or smtps:// URL", readSmtpUrl);
const seconds = whole(0, 86_400);
const longestTimeoutMs = 600_000;

const origins = text(
  "a list of origins such as https://shop.example, separated by commas; * is refused, because answers may carry credentials",
  (value) => {
    const list = value.split(",").map((origin) => origin.trim());
    return list.every(isOrigin) ? list : undefined;
  },
);

function isOrigin(candidate: string): boolean {
  return /^https?:$/.test(URL.parse(candidate)?.protocol ?? "") && new URL(candidate).origin === candidate;
}

const collectorUrl = text("an http:// or https:// URL without user, password, query and fragment", readCollectorUrl);
const headers = text("a list of name=value, separated by commas, percent-encoded where needed", (value) =>
  readHeaders(value) === undefined ? undefined : value,
);

const proxies = text(
  "a number of proxies from 1 to 32, or their addresses and CIDR ranges, separated by commas",
  (value) => (readProxies(value) === undefined ? undefined : value),
);

/** A length of time with its unit, in ms. */
function duration(shortest: string, longest: string) {
  return text(`a duration from ${shortest} to ${longest}, such as 15m`, (value) => {
    const ms = /^\d{1,12}(ms|s|m|h|d)$/.test(value) ? parseDuration(value) : Number.NaN;
    return ms >= parseDuration(shortest) && ms <= parseDuration(longest) ? ms : undefined;
  });
}

const password = text("from 8 to 128 characters", (value) => newPassword.safeParse(value).data);
const claim = text("from 1 to 200 printable ASCII characters", (value) =>
  /^[!-~]{1,200}$/.test(value) ? value : undefined,
);

const secretKey = text("at least 32 bytes", (value) => (Buffer.byteLength(value) >= 32 ? value : undefined));

/** Every variable that the service reads, with the text that each accepts. Whoever adds one documents it in README. */
export const environment = z.object({
  NODE_ENV: oneOf("development", "production", "test"),
  NODE_ROLE: oneOf("all", "web", "worker", "cron"),
  HOST: text("a host name or an address", (value) => (/^[\w.:-]{1,253}$/.test(value) ? value : undefined)),
  PORT: whole(1, 65_535),
  DATABASE_URL: postgresUrl,
  SQLALCHEMY_DATABASE_URL: postgresUrl,
  DATABASE_REPLICA_URLS: postgresUrls,
  SECRET_KEY: secretKey,
  SECRET_KEY_PREVIOUS: secretKey,
  JWT_ISSUER: claim,
  JWT_AUDIENCE: claim,
  JWT_ACCESS_TTL: duration("1s", "1d"),
  JWT_REFRESH_TTL: duration("1s", "400d"),
  REFRESH_LEEWAY: duration("0s", "5m"),
  ARGON2_MEMORY_KIB: whole(8, 1_048_576),
  ARGON2_PASSES: whole(1, 100),
  ARGON2_PARALLELISM: whole(1, 4),
  ADMIN_EMAIL: text("an e-mail address in ASCII letters", (value) => emailAddress.safeParse(value).data),
  ADMIN_PASSWORD: password,
  SEED_PASSWORD: password,
  REDIS_URL: redisUrl,
  CACHE_REDIS_URL: redisUrl,
  RATE_LIMIT_REDIS_URL: redisUrl,
  INVENTORY_REDIS_URL: redisUrl,
  QUEUE_URL: redisUrl,
  CELERY_BROKER_URL: redisUrl,
  QUEUE_RESULT_URL: redisUrl,
  CELERY_RESULT_BACKEND: redisUrl,
  ENABLE_CACHE: flag,
  ENABLE_RATE_LIMIT: flag,
  ENABLE_IDEMPOTENCY_ENFORCEMENT: flag,
  PAYSTACK_WEBHOOK_QUEUE: flag,
  TERMII_QUEUE: flag,
  ENABLE_METRICS: flag,
  DEFAULT_CACHE_TTL_SECONDS: seconds,
  LISTING_DETAIL_CACHE_TTL_SECONDS: seconds,
  FEED_CACHE_TTL_SECONDS: seconds,
  CACHE_DEADLINE_MS: whole(1, 60_000),
  CART_TTL_SECONDS: whole(1, 31_536_000),
  INVENTORY_STRATEGY: oneOf("gate", "dual", "optimistic"),
  HOLD_TTL_SECONDS: whole(1, 604_800),
  SIM_PAYMENT_MS: whole(0, 60_000),
  SMTP_URL: smtpUrl,
  MAIL_FROM: text("an e-mail address in ASCII letters", (value) => emailAddress.safeParse(value).data),
  DB_POOL_MAX: whole(1, 200),
  DB_POOL_TIMEOUT_MS: whole(1, longestTimeoutMs),
  DB_MAX_LAG_MS: whole(2000, longestTimeoutMs),
  STATEMENT_TIMEOUT_MS: whole(1, longestTimeoutMs),
  SLOW_QUERY_MS: whole(0, longestTimeoutMs),
  REQUEST_TIMEOUT_MS: whole(1, longestTimeoutMs),
  SHUTDOWN_DELAY_MS: whole(0, longestTimeoutMs),
  SHUTDOWN_TIMEOUT_MS: whole(1, longestTimeoutMs),
  CORS_ORIGINS: origins,
  TRUSTED_PROXIES: proxies,
  ERROR_PROFILE: oneOf("sluice", "problem", "detail"),
  LOG_LEVEL: oneOf("trace", "debug", "info", "warn", "error", "fatal"),
  OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
  OTEL_EXPORTER_OTLP_HEADERS: headers,
  OTEL_EXPORTER_OTLP_TIMEOUT: whole(1, longestTimeoutMs),
  OTEL_METRIC_EXPORT_INTERVAL: whole(1, longestTimeoutMs),
  SEED_SIZE: oneOf("S", "M", "none"),
  MARKETPLACE_DATA: text("a folder", (value) => (value.includes("\0") ? undefined : value)),
});

/** What the environment says, read and checked. A variable that is unset or empty is absent. */
export type Environment = z.output<typeof environment>;

/** The name of a variable. */
export type VariableName = keyof Environment;

const secretNames: ReadonlySet<string> = new Set<VariableName>([
  "SECRET_KEY",
  "SECRET_KEY_PREVIOUS",
  "ADMIN_PASSWORD",
  "SEED_PASSWORD",
  "DATABASE_URL",
  "SQLALCHEMY_DATABASE_URL",
  "DATABASE_REPLICA_URLS",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "REDIS_URL",
  "CACHE_REDIS_URL",
  "RATE_LIMIT_REDIS_URL",
  "INVENTORY_REDIS_URL",
  "SMTP_URL",
  "QUEUE_URL",
  "CELERY_BROKER_URL",
  "QUEUE_RESULT_URL",
  "CELERY_RESULT_BACKEND",
]);

/** Whether the value of a variable is, or may contain, a secret. */
export function isSecret(name: string): boolean {
  return secretNames.has(name);
}
