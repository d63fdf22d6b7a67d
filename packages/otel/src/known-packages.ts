import type { PackageTelemetry } from "./package-telemetry.ts";
import { cache } from "./packages/cache.ts";
import { core } from "./packages/core.ts";
import { http } from "./packages/http.ts";
import { lock } from "./packages/lock.ts";
import { postgres } from "./packages/postgres.ts";
import { rateLimit } from "./packages/rate-limit.ts";
import { redis } from "./packages/redis.ts";

// A package without a table of its own is heard as well: its events are counted in sluice.events.
const tables = [
  core,
  redis,
  postgres,
  http,
  cache,
  rateLimit,
  { name: "idempotency" },
  { name: "webhook" },
  lock,
  { name: "inventory" },
  { name: "oauth" },
  { name: "resilience" },
  { name: "pagination" },
  { name: "recommend" },
] as const satisfies readonly PackageTelemetry[];

/** A package of Sluice, by the part of its name after `@sluice/`. */
export type PackageName = (typeof tables)[number]["name"];

/** What is made of the messages of each package of Sluice. */
export const knownPackages: readonly PackageTelemetry[] = tables;
