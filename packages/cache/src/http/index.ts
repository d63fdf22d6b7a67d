export { cacheGuard, type CacheGuard, type CacheGuardOptions } from "./cache-guard.ts";
export type { Freshness } from "./freshness.ts";
export type { GuardScopeOptions } from "./guard-scope.ts";
export { queryOf } from "./query.ts";
export type { Vary } from "./variants.ts";
