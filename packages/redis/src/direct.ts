import type { Settle } from "./calls.ts";
import type { CallOptions, Entry, Redis, Script } from "./port.ts";

/** One execution of a script. */
export interface Execution {
  readonly script: Script;
  readonly entry: Entry;
  readonly call: CallOptions;
}

/** Runs a script and settles it, perhaps at once. */
export type RunDirect = (execution: Execution & Settle) => void;

const direct = new WeakMap<Redis, RunDirect>();

/** Tells how a port runs scripts without a promise in between. */
export function offerDirect(redis: Redis, run: RunDirect): void {
  direct.set(redis, run);
}

/** Whether a port is Sluice's own, so that each call settles by its deadline. Of one that wraps it nobody knows. */
export function keepsTime(redis: Redis): boolean {
  return direct.has(redis);
}

/**
 * The shortest way to run a script on a port: a promise less where the port is Sluice's own, which is a tenth of a
 * lone call. Known by identity, so a port that wraps another one is asked through its own `run`.
 */
export function directly(redis: Redis): RunDirect {
  const known = direct.get(redis);
  if (known) return known;
  return (execution) => {
    const { script, entry, call } = execution;
    redis.run(script, entry, call).then(
      (reply) => execution.resolve(reply),
      (error: Error) => execution.reject(error),
    );
  };
}
