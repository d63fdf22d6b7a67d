import type { Entry, Redis, Script } from "@sluice/redis";
import type { Redis as Ioredis } from "ioredis";

/**
 * The physical limit of a decision: the very command that a limiter sends, by itself and for any key. It is caught on
 * its way to the port while `decide` decides once.
 */
export async function bareCall(
  client: Ioredis,
  redis: Redis,
  decide: (port: Redis) => Promise<void>,
): Promise<(key: string) => Promise<unknown>> {
  const { promise, resolve } = Promise.withResolvers<{ readonly script: Script; readonly entry: Entry }>();
  const run: Redis["run"] = (script, entry, options) => {
    resolve({ script, entry });
    return redis.run(script, entry, options);
  };
  await decide(Object.assign(Object.create(redis) as Redis, { run }));
  const { script, entry } = await promise;
  await client.script("LOAD", script.source);
  const args = entry.args.map(String);
  return (key) => client.evalsha(script.sha1, 1, key, ...args);
}
