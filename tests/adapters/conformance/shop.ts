import { createCache, paramsKey, pathKey, type Cache } from "@sluice/cache";
import { cacheGuard, queryOf, type CacheGuard } from "@sluice/cache/http";
import type { HttpGuard, HttpRequest } from "@sluice/http";
import {
  bucket,
  concurrency,
  createRateLimiter,
  memoryStore,
  window,
  type RateLimiter,
  type RateLimitStore,
} from "@sluice/rate-limit";
import { rateLimitGuard } from "@sluice/rate-limit/http";
import { createFakeClock, type FakeClock } from "@sluice/testing";

import type { App } from "../framework.ts";
import { createExporting, type Exporting } from "./exporting.ts";
import { createGoods, type Goods } from "./goods.ts";
import { shopRoutes } from "./routes.ts";

/** Limits of the shop that a case may have smaller than they are. */
export interface ShopOptions {
  /** Requests of one address in a minute, of any kind. Default 1000. */
  readonly flood?: number;
  /** Reads of one user, or address, in a minute. Default 1000. */
  readonly browse?: number;
  readonly http2?: boolean;
  /** Where limits are counted. Default: in memory. */
  readonly store?: RateLimitStore;
  /** What the list of products waits for once it has been asked. Default: nothing. */
  readonly reading?: Promise<void>;
}

type Tier = "flood" | "browse" | "write" | "login" | "flash" | "exports";

/** The guards of single routes. */
export interface ShopGuards {
  readonly list: CacheGuard<{ readonly page: string }>;
  readonly detail: CacheGuard<string>;
  readonly events: CacheGuard<string>;
  readonly login: HttpGuard;
  readonly flash: HttpGuard;
  readonly exports: HttpGuard;
}

/** What the shop's routes use. */
export interface ShopGround {
  readonly cache: Cache;
  readonly guards: ShopGuards;
  readonly goods: Goods;
  /** What the list of products waits for once it has been asked. */
  readonly reading: Promise<void> | undefined;
  readonly exporting: Exporting;
}

/** A shop of twelve routes under the guards of real primitives, on a clock that stands still. */
export interface Shop extends ShopGround, AsyncDisposable {
  readonly app: App;
  readonly clock: FakeClock;
}

/** Describes the shop once; each framework's driver builds it. */
export function createShop(options: ShopOptions = {}): Shop {
  const clock = createFakeClock();
  const limiter = limiterOf(clock, options);
  const cache = createCache({ clock });
  const guards = guardsOf(cache, limiter);
  const ground: ShopGround = {
    cache,
    guards,
    goods: createGoods(),
    reading: options.reading,
    exporting: createExporting(),
  };
  const everywhere = [
    rateLimitGuard({ limiter, policy: "flood", stage: "address", name: "flood", headers: "off" }),
    rateLimitGuard({ limiter, policy: tierOf, stage: "principal", name: "tier" }),
  ];
  const app: App = {
    guards: everywhere,
    routes: shopRoutes(ground),
    options: { proxies: { hops: 1 } },
    ...(options.http2 ? { http2: true } : {}),
  };
  return { ...ground, app, clock, [Symbol.asyncDispose]: () => cache.close() };
}

function limiterOf(clock: FakeClock, { flood = 1000, browse = 1000, store }: ShopOptions): RateLimiter<Tier> {
  return createRateLimiter({
    clock,
    store: store ?? memoryStore({ clock }),
    policies: {
      flood: window({ limit: flood, per: "1m" }),
      browse: window({ limit: browse, per: "1m" }),
      write: { limits: window({ limit: 100, per: "1m" }), onStoreError: "deny" },
      login: {
        limits: [window({ name: "minute", limit: 2, per: "1m" }), window({ name: "hour", limit: 3, per: "1h" })],
      },
      flash: bucket({ capacity: 1, refill: 1, every: "12s" }),
      exports: concurrency({ limit: 1, lease: "5m" }),
    },
  });
}

function tierOf({ method }: HttpRequest): Tier {
  return method === "GET" || method === "HEAD" ? "browse" : "write";
}

function guardsOf(cache: Cache, limiter: RateLimiter<Tier>): ShopGuards {
  return {
    list: cacheGuard({
      cache,
      name: "list",
      prefix: "v1:products",
      key: paramsKey<{ page: string }>(),
      params: (request) => ({ page: String(queryOf(request)["page"] ?? "1") }),
      vary: { "accept-language": languageOf },
      ttl: "1m",
      jitter: 0,
      freshness: { maxAge: "5s", sMaxage: "30s" },
    }),
    detail: cacheGuard({
      cache,
      name: "detail",
      prefix: "product",
      key: pathKey<string>(),
      params: ({ path }) => path.split("/").at(-1),
      ttl: "1m",
      jitter: 0,
    }),
    events: cacheGuard({
      cache,
      name: "events",
      prefix: "events",
      key: pathKey<string>(),
      params: () => "all",
      ttl: "1m",
    }),
    login: rateLimitGuard({
      limiter,
      policy: "login",
      stage: "address",
      name: "login",
      // Who knows the password is nobody who guesses it.
      settle: (outcome) => ("head" in outcome && outcome.head.status === 200 ? 0 : 1),
    }),
    flash: rateLimitGuard({ limiter, policy: "flash", stage: "principal", name: "flash" }),
    exports: rateLimitGuard({ limiter, policy: "exports", stage: "principal", name: "exports" }),
  };
}

function languageOf(header: string | undefined): string {
  return header?.startsWith("fr") ? "fr" : "en";
}
