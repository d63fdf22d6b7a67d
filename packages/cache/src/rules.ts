import { InvalidArgumentError } from "@sluice/core";

import { InvalidationQueuedError } from "./errors.ts";
import type { Invalidated } from "./invalidator.ts";
import { plainTargets, type InvalidationTarget } from "./target.ts";

/** What each event of an application makes untrue. An event that moves something carries `before` and `after`. */
export type RuleTable<Events extends object> = {
  readonly [Name in keyof Events]: (event: Events[Name]) => readonly InvalidationTarget[];
};

/** How targets are invalidated. */
export interface InvalidateOptions {
  /** Throws when a target could not be applied. Default `false`: that is told by `queued`. */
  readonly strict?: boolean;
}

/** An application's invalidation rules. */
export interface Rules<Events extends object> {
  /** What an event makes untrue, as plain data: for an outbox, in the transaction of the change. */
  plan<Name extends keyof Events>(name: Name, event: Events[Name]): InvalidationTarget[];
  /**
   * Invalidates what an event makes untrue. Call it after the change was committed: what is loaded before would be
   * stored as new. One round trip.
   *
   * @throws `ERR_SLUICE_CACHE_INVALIDATION_QUEUED` with `strict`, when a target could not be applied.
   */
  emit<Name extends keyof Events>(name: Name, event: Events[Name], options?: InvalidateOptions): Promise<Invalidated>;
}

/** Makes rules of a table. */
export function createRules<Events extends object>(
  table: RuleTable<Events>,
  invalidate: (targets: readonly InvalidationTarget[]) => Promise<Invalidated>,
): Rules<Events> {
  const plan: Rules<Events>["plan"] = (name, event) => {
    // What every object has is no event either.
    if (!Object.hasOwn(table, name)) throw new InvalidArgumentError("event", "one of the table", name);
    return plainTargets(table[name](event));
  };
  return {
    plan,
    emit: async (name, event, options) => checkedOutcome(await invalidate(plan(name, event)), options),
  };
}

/** Throws for an outcome that was not to be accepted. */
export function checkedOutcome(outcome: Invalidated, { strict = false }: InvalidateOptions = {}): Invalidated {
  if (strict && outcome.queued > 0) throw new InvalidationQueuedError(outcome.applied, outcome.queued);
  return outcome;
}
