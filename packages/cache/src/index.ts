export { createCache, type Cache, type CacheOptions, type FlushOptions } from "./cache.ts";
export { jsonCodec, type Codec } from "./codec.ts";
export type { CacheEntry, CacheRead, ReadOptions } from "./entry.ts";
export {
  CacheClosedError,
  CacheUnavailableError,
  CacheValueError,
  InvalidationQueuedError,
  LoadCycleError,
  LoadsOverloadedError,
  LoadTimeoutError,
} from "./errors.ts";
export {
  cacheEvents,
  loadTraces,
  type CacheEvent,
  type LoadTrace,
  type ReadOutcome,
  type StoreSkipped,
} from "./events.ts";
export type { Invalidated } from "./invalidator.ts";
export {
  md5Key,
  paramsKey,
  pathKey,
  type KeyFormat,
  type KeyText,
  type ParamsKeyOptions,
  type PathSegment,
} from "./key.ts";
export type { L1Options } from "./l1.ts";
export type { Environment } from "./lifetime.ts";
export type { LoadContext, Loader } from "./load.ts";
export { memoryStore, type MemoryStoreOptions } from "./memory.ts";
export type { InvalidateOptions, Rules, RuleTable } from "./rules.ts";
export type { CacheScope } from "./scope.ts";
export type { ScopeOptions, StaleOptions } from "./scope-options.ts";
export type { HealthOptions, ScopeHealth, ScopeStats } from "./stats.ts";
export type { Bump, CacheStore, Claim, Claimed, Pushes, PushListener, Put, Snapshot, Wanted } from "./store.ts";
export type { EntryTarget, GenerationTarget, InvalidationTarget } from "./target.ts";
