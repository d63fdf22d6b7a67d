export { startServices, type Services } from "./both.ts";
export { FolderUnreachableError, ServerStartError, ServiceUnavailableError } from "./errors.ts";
export { findEmbeddedPostgres, findPostgres, findRedis } from "./find-binaries.ts";
export { findProgram } from "./find-program.ts";
export {
  launchPostgres,
  throwawaySettings,
  type LaunchedPostgres,
  type LaunchPostgresOptions,
  type PostgresStopMode,
} from "./launch-postgres.ts";
export { keepPostgresTemplates } from "./postgres-data.ts";
export type { PostgresSettings } from "./postgres-program.ts";
export { launchRedis, type LaunchedRedis, type LaunchRedisOptions } from "./launch-redis.ts";
export { startPostgres } from "./postgres.ts";
export { startRedis } from "./redis.ts";
export type { Origin, Service, ServiceFacts, ServiceName } from "./service.ts";
export { installSkewedClock, type SkewableDatabase } from "./skewed-clock.ts";
export type { StartServiceOptions } from "./steps.ts";
export type { PostgresNode, PrimaryStopMode } from "../topologies/postgres-node.ts";
export {
  startPostgresReplica,
  TopologyStateError,
  type PostgresReplica,
  type PostgresReplicaOptions,
} from "../topologies/postgres-replica.ts";
export { startRedisCluster, type RedisCluster, type RedisClusterOptions } from "../topologies/redis-cluster.ts";
export { startRedisSentinels, type RedisSentinels, type RedisSentinelsOptions } from "../topologies/redis-sentinels.ts";
export type { RedisSentinel } from "../topologies/sentinel.ts";
