import type { CallOptions, Entry, Redis, Reply, Script } from "./port.ts";

/** One execution of a script. */
export interface Execution {
  readonly script: Script;
  readonly entry: Entry;
  readonly call: CallOptions;
}

/** Runs a script and calls one of the two, also at once. */
export type RunDirect = (execution: Execution, resolve: (reply: Reply) => void, reject: (error: Error) => void) => void;

const direct = new WeakMap<Redis, RunDirect>();

/** Tells how a port runs scripts without a promise in between. */
export function offerDirect(redis: Redis, run: RunDirect): void {
  direct.set(redis, run);
}

/**
 * The shortest way to run a script on a port: a promise less where the port is Sluice's own, which is a tenth of a
 * lone call. Known by identity, so a port that wraps another one is asked through its own `run`.
 */
export function directly(redis: Redis): RunDirect {
  const known = direct.get(redis);
  if (known) return known;
  return ({ script, entry, call }, resolve, reject) => void redis.run(script, entry, call).then(resolve, reject);
}
