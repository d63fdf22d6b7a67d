import type { RedisConnection } from "@sluice/redis";
import { connectRedis } from "@sluice/redis/ioredis";

import type { CommandOption, Typed } from "./command.ts";
import { firstSet } from "./first-set.ts";
import type { Surroundings } from "./run.ts";
import { UsageError } from "./usage-error.ts";

/** Where Redis is, for commands that need it. */
export const redisOption: CommandOption = {
  type: "string",
  value: "url",
  help: "where Redis is; default: the variable of the command's role, then REDIS_URL",
};

/**
 * Connects to the Redis that was named by `--redis`, else by the first variable that is set.
 *
 * @throws `ERR_SLUICE_CLI_USAGE` when none is.
 */
export function redisOf(typed: Typed, surroundings: Surroundings, variables: readonly string[]): RedisConnection {
  const redis = redisIfAny(typed, surroundings, variables);
  if (redis) return redis;
  throw new UsageError(`Say where Redis is: --redis, ${variables.join(", ")} or REDIS_URL.`);
}

/** The same, and nothing when none is set. */
export function redisIfAny(
  typed: Typed,
  { env }: Surroundings,
  variables: readonly string[],
): RedisConnection | undefined {
  const url = typed.text("redis") ?? firstSet(env, [...variables, "REDIS_URL"]);
  return url === undefined ? undefined : connectRedis({ url, role: "cli", deadlineMs: 2000 });
}
