import type { Random } from "@sluice/core";

import type { TestRequestParts } from "./test-request.ts";

const names = [
  "accept",
  "authorization",
  "cache-control",
  "content-length",
  "content-type",
  "cookie",
  "forwarded",
  "idempotency-key",
  "if-none-match",
  "origin",
  "range",
  "traceparent",
  "x-forwarded-for",
  "x-request-id",
  "__proto__",
  "constructor",
] as const;

const values = [
  "",
  " ",
  ",,,",
  '"',
  '"\\',
  "*",
  "null",
  "undefined",
  "__proto__",
  "-1",
  "0",
  "9".repeat(400),
  "1e999",
  "a".repeat(10_000),
  "=?=;=,",
  '{"a":{}}',
  "../../etc/passwd",
  "'; drop table users; --",
  "\r\nset-cookie: hostile=1",
  "\0",
  "\uD800",
  "\u202E\u00E9\u0301",
  'W/"',
  "max-age=-1, max-age",
] as const;

const addresses = [
  undefined,
  "203.0.113.7",
  "::1",
  "2001:db8::1",
  "::ffff:1.2.3.4",
  "fe80::1%eth0",
  "",
  "unknown",
] as const;
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"] as const;
const urls = [
  "/",
  "/products?sort=price",
  "/%E0%A4%A",
  "//",
  "/..;/admin",
  "*",
  `/${"a".repeat(5000)}`,
  "/?&&=&a[]=1&a[]",
] as const;

/** What a client could send who means no good: each part as bad as the random has it. */
export function hostileParts(random: Random): TestRequestParts {
  const headers: [string, string][] = [];
  while (random.float() < 0.8 && headers.length < names.length)
    headers.push([pick(names, random), hostileValue(random)]);
  return {
    method: pick(methods, random),
    url: pick(urls, random),
    route: random.float() < 0.5 ? undefined : pick(urls, random),
    id: `hostile-${random.integer(0, 1_000_000)}`,
    address: pick(addresses, random),
    headers: Object.fromEntries(headers),
    body: hostileValue(random),
  };
}

function hostileValue(random: Random): string {
  if (random.float() < 0.7) return pick(values, random);
  return String.fromCharCode(...Array.from({ length: random.integer(0, 40) }, () => random.integer(0, 0x1_00)));
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random.integer(0, list.length)] as T;
}
