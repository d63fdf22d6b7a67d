export type { Decision, LimitStatus } from "./decision.ts";
export {
  CostExceedsLimitError,
  RateLimitMarksFullError,
  RateLimitReplyError,
  RateLimitUnavailableError,
} from "./errors.ts";
export { rateLimitEvents, type RateLimitEvent, type Via } from "./events.ts";
export type { NamedLimit } from "./field.ts";
export {
  rateLimitBody,
  rateLimitHeaders,
  retryAfterSeconds,
  type HeaderOptions,
  type HeaderVersion,
  type RateLimitBody,
} from "./headers.ts";
export {
  bucket,
  concurrency,
  fixedWindow,
  slidingLog,
  strictWindow,
  window,
  type BucketOptions,
  type ConcurrencyOptions,
  type Limit,
  type LimitKind,
  type StrictWindowOptions,
  type WindowOptions,
} from "./limit.ts";
export { createRateLimiter } from "./limiter.ts";
export type {
  AcquireOptions,
  ConsumeOptions,
  Demand,
  OverrideOptions,
  RateLimiter,
  RateLimiterOptions,
} from "./limiter-options.ts";
export { memoryStore, type MemoryStoreOptions } from "./memory.ts";
export { createOffenders, type Offender, type Offenders, type OffendersOptions } from "./offenders.ts";
export type { Mode, OnStoreError, PolicyInput, PolicyOptions } from "./policy.ts";
export type {
  Answer,
  Ask,
  Change,
  Hit,
  LimitAnswer,
  Mark,
  MaybePromise,
  RateLimitStore,
  SubjectState,
  TakeOptions,
} from "./store.ts";
export { byAction, byIp, byKey, bySecret, byUser, type Subject } from "./subject.ts";
