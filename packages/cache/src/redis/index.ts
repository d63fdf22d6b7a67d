export {
  cacheOperations,
  type CacheOperations,
  type CacheOperationsOptions,
  type Flushed,
  type FlushRequest,
  type Reclaimed,
} from "./operations/operations.ts";
export type { Inspected, RecordState } from "./operations/inspect.ts";
export type { PrefixStats, ScopeRecords } from "./operations/prefix-stats.ts";
export type { WalkOptions } from "./operations/walk.ts";
export { redisStore, type RedisStoreOptions } from "./store.ts";
