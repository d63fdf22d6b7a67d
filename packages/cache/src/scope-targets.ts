import { InvalidArgumentError, type ParamRecord } from "@sluice/core";

import type { Planner } from "./plan.ts";
import type { Policy } from "./policy.ts";
import type { EntryTarget, GenerationTarget, InvalidationTarget } from "./target.ts";

/** What of a scope can be invalidated. */
export interface ScopeTargets {
  readonly all: () => GenerationTarget;
  readonly group: (value: ParamRecord) => GenerationTarget;
  readonly tag: (tag: string) => GenerationTarget;
  /** The records under these keys. */
  readonly keys: (keys: readonly string[]) => EntryTarget;
  /** What has keys of this first segment; nothing where keys have no segments. */
  readonly startingWith: (segment: string) => InvalidationTarget[];
}

/** What {@link targetsOf} needs to know of a scope. */
export interface TargetGround {
  readonly policy: Policy;
  readonly prefix: string;
  /** Whether its keys are segments. */
  readonly segmented: boolean;
  readonly planner: Pick<Planner<never>, "droppedKeys">;
}

/** Makes the targets of a scope. */
export function targetsOf({ policy, prefix, segmented, planner }: TargetGround): ScopeTargets {
  const { scope, family, settleMs } = policy;
  const generation = (...generations: string[]): GenerationTarget => ({
    kind: "generation",
    generations,
    family: family.all,
  });
  const drop = (keys: readonly string[]): EntryTarget => ({ kind: "entry", keys, family: family.all, settleMs });
  return {
    all: () => generation(scope === family.name ? family.all : family.scope(scope)),
    group: (value) => generation(groupOf(policy, value)),
    tag: (tag) => generation(family.anyTag, family.tag(tag)),
    keys: drop,
    startingWith: (segment) =>
      segmented ? [generation(family.lead(segment)), drop(planner.droppedKeys(`${prefix}:${segment}`))] : [],
  };
}

/** What no value is in would be invalidated in vain, and nobody would know. */
function groupOf({ scope, family }: Policy, value: ParamRecord): string {
  const [member, ...others] = Object.entries(typeof value === "object" ? (value ?? {}) : {});
  if (!member || member[1] === undefined || others.length > 0) {
    throw new InvalidArgumentError("group", "one name with its value", value);
  }
  return family.group(scope, ...member);
}
