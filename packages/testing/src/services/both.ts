import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import type { Service } from "./service.ts";
import type { StartServiceOptions } from "./steps.ts";

/** A PostgreSQL and a Redis that {@link startServices} has started. */
export interface Services extends AsyncDisposable {
  /** The PostgreSQL. */
  readonly postgres: Service;
  /** The Redis. */
  readonly redis: Service;
  /** Stops both. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL and a Redis at once. When one cannot be had, the other is stopped again.
 *
 * @throws `ERR_SLUICE_SERVICE_UNAVAILABLE` of the first that cannot be had.
 */
export async function startServices(options: StartServiceOptions = {}): Promise<Services> {
  const [postgres, redis] = await Promise.allSettled([startPostgres(options), startRedis(options)]);
  if (postgres.status === "fulfilled" && redis.status === "fulfilled") return together(postgres.value, redis.value);
  for (const start of [postgres, redis]) if (start.status === "fulfilled") await start.value.stop();
  throw [postgres, redis].find((start) => start.status === "rejected")?.reason;
}

function together(postgres: Service, redis: Service): Services {
  const stop = async (): Promise<void> => void (await Promise.all([postgres.stop(), redis.stop()]));
  return { postgres, redis, stop, [Symbol.asyncDispose]: stop };
}
