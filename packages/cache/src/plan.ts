import { InvalidArgumentError } from "@sluice/core";

import type { KeyText } from "./key.ts";
import type { Plan, Policy } from "./policy.ts";
import type { ScopeOptions } from "./scope-options.ts";

const mostGroups = 2;

/** How a scope's parameters become keys. */
export interface Planner<Params> {
  /** @throws `ERR_SLUICE_NOT_CANONICAL` or `ERR_SLUICE_INVALID_ARGUMENT` for parameters that make no key. */
  planOf(params: Params): Plan;
  /** The keys that are dropped when an entry is invalidated: its own, and those under other prefixes. */
  droppedKeys(own: string): readonly string[];
}

/** Builds keys. What does not depend on parameters is built once. */
export function createPlanner<Params, Value>(policy: Policy, options: ScopeOptions<Params, Value>): Planner<Params> {
  const { scope, family, tagged } = policy;
  const { prefix, key, groups, alsoDrops = [] } = options;
  // A scope that is called like its prefix ends with it, and needs no generation of its own.
  const common = scope === family.name ? [family.all] : [family.all, family.scope(scope)];

  function groupKeys(params: Params): string[] {
    if (!groups) return [];
    const values = Object.entries(groups(params)).filter(([, value]) => value !== undefined);
    if (values.length > mostGroups) {
      throw new InvalidArgumentError("groups", `at most ${mostGroups} values`, values.length);
    }
    return values.map(([name, value]) => family.group(scope, name, value));
  }

  return {
    planOf(params) {
      const { text, identity, lead }: KeyText = key.keyOf(params);
      const generations = [
        ...common,
        ...(lead === undefined ? [] : [family.lead(lead)]),
        ...groupKeys(params),
        ...(tagged ? [family.anyTag] : []),
      ];
      const own = `${prefix}:${text}`;
      return { key: own, identity: `${scope} ${identity}`, generations, keys: [own, ...generations] };
    },
    droppedKeys: (own) => [own, ...alsoDrops.map((other) => other + own.slice(prefix.length))],
  };
}
