export { createCoalescer, type Coalescer, type CoalescerOptions } from "./coalescer.ts";
export { createRedis, type RedisOptions } from "./connection.ts";
export type { Command, DriverListener, Failure, RedisDriver, SubscriberLink, SubscriberListener } from "./driver.ts";
export {
  RedisCrossSlotError,
  RedisNotAReadError,
  RedisReplyError,
  RedisUnavailableError,
  RedisUnknownError,
  type UnavailableReason,
  type UnknownReason,
} from "./errors.ts";
export { redisEvents, type RedisEvent } from "./events.ts";
export type {
  Argument,
  CallOptions,
  Doubt,
  Entry,
  ReadCommand,
  Redis,
  RedisConnection,
  Reply,
  Script,
  Subscription,
} from "./port.ts";
export { createReader, type Reader, type ReaderOptions } from "./reader.ts";
export { commonSlot, slotOf, tagOf } from "./slot.ts";
