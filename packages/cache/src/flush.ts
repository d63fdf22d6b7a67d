import { InvalidArgumentError } from "@sluice/core";

import { familyOf } from "./layout.ts";
import type { MadeScope } from "./scope.ts";
import type { GenerationTarget } from "./target.ts";

type AnyScope = Pick<MadeScope<never, unknown>, "policy" | "prefix" | "all">;

/**
 * What a text such as `"v1:feed:"` flushes: a prefix, the scopes of a longer one, or the keys that share a first
 * segment.
 */
export function flushTarget(scopes: readonly AnyScope[], text: string): GenerationTarget[] {
  const { name } = familyOf(text.replace(/:\*?$/, ""));
  const ofFamily = scopes.find(({ policy }) => policy.family.name === name);
  if (ofFamily) {
    const { all } = ofFamily.policy.family;
    return [{ kind: "generation", generations: [all], family: all }];
  }
  const ofPrefix = scopes.filter(({ prefix }) => familyOf(prefix).name === name);
  if (ofPrefix.length > 0) return ofPrefix.map((scope) => scope.all());
  const cut = name.lastIndexOf(":");
  const parent = scopes.find(({ policy }) => policy.family.name === name.slice(0, cut));
  if (cut > 0 && parent) {
    const { family } = parent.policy;
    return [{ kind: "generation", generations: [family.lead(name.slice(cut + 1))], family: family.all }];
  }
  const known = [...new Set(scopes.map(({ prefix }) => prefix))].join(", ");
  throw new InvalidArgumentError("prefix", `one of a scope here (${known}), or of the first segment after one`, text);
}
