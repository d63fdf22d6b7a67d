import { InvalidArgumentError } from "@sluice/core";

import { familyOf } from "./layout.ts";
import type { MadeScope } from "./scope.ts";
import type { InvalidationTarget } from "./target.ts";

type AnyScope = Pick<MadeScope<never, unknown>, "policy" | "prefix" | "all" | "startingWith">;

/**
 * What a text such as `"v1:feed:"` flushes: a prefix, the scopes of a longer one, or the keys that share a first
 * segment, that of this segment alone included.
 */
export function flushTarget(scopes: readonly AnyScope[], text: string): InvalidationTarget[] {
  const { name } = familyOf(typeof text === "string" ? text.replace(/:\*?$/, "") : text);
  const ofFamily = scopes.find(({ policy }) => policy.family.name === name);
  if (ofFamily) {
    const { all } = ofFamily.policy.family;
    return [{ kind: "generation", generations: [all], family: all }];
  }
  const ofPrefix = scopes.filter(({ prefix }) => familyOf(prefix).name === name);
  if (ofPrefix.length > 0) return ofPrefix.map((scope) => scope.all());
  const cut = name.lastIndexOf(":");
  const segment = name.slice(cut + 1);
  const parents = scopes.filter(({ prefix }) => familyOf(prefix).name === name.slice(0, Math.max(0, cut)));
  const targets = parents.flatMap((scope) => scope.startingWith(segment));
  if (targets.length > 0) return targets;
  const known = [...new Set(scopes.map(({ prefix }) => prefix))].join(", ");
  throw new InvalidArgumentError("prefix", `one of a scope here (${known}), or of the first segment after one`, text);
}
