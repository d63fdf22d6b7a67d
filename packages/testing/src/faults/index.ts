export type { Direction } from "./direction.ts";
export { FaultProxyClosedError, ProcessStateError } from "./errors.ts";
export type { BlackholeOptions, LatencyOptions, OneWay, SliceOptions, ThrottleOptions } from "./fault-options.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "./fault-proxy.ts";
export type { Fault, LoseReplyOptions, LostReplies } from "./lost-replies.ts";
export { postgresProtocol } from "./postgres-protocol.ts";
export type { Piece, Protocol, Splitter } from "./protocol.ts";
export { respProtocol } from "./resp.ts";
export type { Traffic } from "./traffic.ts";
export type { ChaosRecord } from "./chaos-history.ts";
export type { ChaosFault, ChaosPlan } from "./chaos-plan.ts";
export { chaosRedis, type RedisPort } from "./chaos-redis.ts";
export { chaosSql, type ChaosSqlOptions, type SqlDatabasePort, type SqlPort } from "./chaos-sql.ts";
export type { Chaos, ChaosOptions, Chaotic } from "./chaos.ts";
export {
  InjectedCommitUnknownError,
  InjectedRedisUnavailableError,
  InjectedRedisUnknownError,
  InjectedSocketError,
  isInjected,
} from "./injected-errors.ts";
export type { ProcessState } from "./process-state.ts";
export { continueProcess, frozen, killProcess, stopProcess, type SignalOptions } from "./signal-process.ts";
