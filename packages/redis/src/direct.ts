import type { Settle } from "./calls.ts";
import type { RedisDriver } from "./driver.ts";
import type { CallOptions, Entry, Redis, Script } from "./port.ts";

/** One execution of a script. */
export interface Execution {
  readonly script: Script;
  readonly entry: Entry;
  readonly call: CallOptions;
}

/** Runs a script and settles it, perhaps at once. */
export type RunDirect = (execution: Execution & Settle) => void;

/** What a port of Sluice's own can do besides. */
export interface Direct {
  readonly run: RunDirect;
  /** As in {@link RedisDriver.together}. */
  readonly together: RedisDriver["together"];
}

const direct = new WeakMap<Redis, Direct>();

/** Tells how a port runs scripts without a promise in between. */
export function offerDirect(redis: Redis, offer: Direct): void {
  direct.set(redis, offer);
}

/** Whether a port is Sluice's own, so that each call settles by its deadline. Of one that wraps it nobody knows. */
export function keepsTime(redis: Redis): boolean {
  return direct.has(redis);
}

/** Runs `work` so that the commands which it sends to one server go out in one write, where the port knows how. */
export function together(redis: Redis, server: string, work: () => void): void {
  const offer = direct.get(redis);
  if (offer?.together) offer.together(server, work);
  else work();
}

/**
 * The shortest way to run a script on a port: a promise less where the port is Sluice's own, which is a tenth of a
 * lone call. Known by identity, so a port that wraps another one is asked through its own `run`.
 */
export function directly(redis: Redis): RunDirect {
  const known = direct.get(redis);
  if (known) return known.run;
  return (execution) => {
    const { script, entry, call } = execution;
    redis.run(script, entry, call).then(
      (reply) => execution.resolve(reply),
      (error: Error) => execution.reject(error),
    );
  };
}
