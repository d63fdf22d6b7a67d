import type { Cache } from "../cache.ts";
import type { ScopeOptions } from "../scope-options.ts";
import type { CacheScope } from "../scope.ts";
import type { InvalidationTarget } from "../target.ts";
import { replyCodec, type StoredReply } from "./stored-reply.ts";

/** The options of a scope that a guard's replies may have. */
export type GuardScopeOptions<Params> = Omit<
  ScopeOptions<Params, unknown>,
  "codec" | "early" | "load" | "negativeTtl" | "softTimeout" | "tags"
>;

/** What is asked for, and in which variant. */
export interface Asked<Params> {
  readonly params: Params;
  readonly variant: string;
}

/** The replies of one guard. */
export interface GuardScope<Params> {
  readonly values: CacheScope<Asked<Params>, StoredReply>;
  /** What to invalidate when what is asked for has changed. */
  readonly target: (params: Params) => InvalidationTarget;
}

/** Makes the scope of a guard. */
export function guardScope<Params>(
  cache: Cache,
  options: GuardScopeOptions<Params> & { readonly name: string; readonly varies: boolean },
): GuardScope<Params> {
  const { key, groups = () => ({}), name, varies, ...others } = options;
  // The variants of one thing have keys that nobody knows all of: they end together, by their group.
  const together = (params: Params) => (varies ? { variants: key.keyOf(params).identity } : {});
  const values = cache.scope<Asked<Params>, StoredReply>(name, {
    ...others,
    codec: replyCodec,
    key: {
      // Variants of one segment are not found by it.
      segmented: (key.segmented ?? false) && !varies,
      keyOf({ params, variant }) {
        const { text, identity, ...rest } = key.keyOf(params);
        if (variant === "") return { text, identity, ...rest };
        return { ...rest, text: `${text}~${variant}`, identity: `${identity}~${variant}` };
      },
    },
    groups: ({ params }) => ({ ...groups(params), ...together(params) }),
  });
  return {
    values,
    target: (params) => (varies ? values.group(together(params)) : values.entry({ params, variant: "" })),
  };
}
