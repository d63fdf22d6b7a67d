import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";

import type { Corrector } from "./booking.ts";
import { DenyCache } from "./deny-cache.ts";
import { rateLimitEvents } from "./events.ts";
import type { NamedLimit } from "./field.ts";
import { Leases } from "./lease.ts";
import { checkedCount } from "./limit.ts";
import type { RateLimiterOptions } from "./limiter-options.ts";
import { memoryStore } from "./memory.ts";
import { checkedAction, policyOf, type Policy } from "./policy.ts";
import type { RateLimitStore } from "./store.ts";
import { keyOf, type Subject } from "./subject.ts";

/** A policy with what this process remembers about it. */
export interface Plan extends Policy {
  readonly denials: DenyCache;
  readonly leases: Leases | undefined;
  /** The limit about which a store may be asked by its shortcut: the only one, where each call asks the store. */
  readonly shortcut: NamedLimit | undefined;
  readonly corrector: Corrector;
  /** Counts when the store has failed. */
  readonly localCorrector: Corrector;
}

/** A limiter's options, checked and complete. */
export interface Plans<Name extends string> {
  readonly store: RateLimitStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Counts when the store has failed. */
  readonly local: RateLimitStore;
  /** Processes that share the limits. */
  readonly instances: number;
  /** Whether a subject is never limited. Undefined where there are none. */
  readonly isExempt: ((key: string) => boolean) | undefined;
  readonly all: ReadonlyMap<string, Plan>;
  /** @throws `ERR_SLUICE_INVALID_ARGUMENT` for a policy that does not exist. */
  find(name: Name): Plan;
}

/**
 * Checks a limiter's options.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function plansOf<Name extends string>(options: RateLimiterOptions<Name>): Plans<Name> {
  const { clock = systemClock, random = systemRandom, instances = 1, denyCache = 10_000 } = options;
  const { mode = "enforce", onStoreError = "allow", store = memoryStore({ clock, random }) } = options;
  checkedAction("onStoreError", onStoreError);
  checkedCount("instances", instances);
  if (denyCache !== 0) checkedCount("denyCache", denyCache);
  if (typeof options.policies !== "object" || options.policies === null) {
    throw new InvalidArgumentError("policies", "policies by name", options.policies);
  }
  const local = memoryStore({ clock, random });
  const all = new Map<string, Plan>();
  for (const [name, input] of Object.entries<RateLimiterOptions<Name>["policies"][Name]>(options.policies)) {
    const policy = policyOf(name, input, { mode, onStoreError, instances });
    all.set(name, planOf(policy, { store, local, clock, denials: new DenyCache(denyCache) }));
  }
  refuseDifferent([...all.values()]);
  function find(name: Name): Plan {
    const plan = all.get(name);
    if (plan) return plan;
    throw new InvalidArgumentError("policy", `one of ${[...all.keys()].join(", ")}`, name);
  }
  return { store, clock, random, local, instances, isExempt: exemption(options.exempt), all, find };
}

/** Limits of one field share their counts: two policies that mean different limits would spend each other's. */
function refuseDifferent(all: readonly Plan[]): void {
  const known = new Map<string, { readonly policy: string; readonly limit: NamedLimit }>();
  for (const { name: policy, limits } of all) {
    for (const limit of limits) {
      const first = known.get(limit.field) ?? { policy, limit };
      known.set(limit.field, first);
      if (first.limit.limit === limit.limit && first.limit.refill === limit.refill) continue;
      const expected = `a limit "${limit.name}" equal to that of "${first.policy}", or with a name of its own`;
      throw new InvalidArgumentError(`policies.${policy}`, expected, limit.limit);
    }
  }
}

function exemption(exempt: RateLimiterOptions<string>["exempt"]): Plans<string>["isExempt"] {
  if (exempt === undefined) return undefined;
  if (typeof exempt === "function") return (key) => exempt({ key });
  if (!Array.isArray(exempt)) throw new InvalidArgumentError("exempt", "a list of subjects or a function", exempt);
  const keys = new Set((exempt as readonly Subject[]).map(keyOf));
  return keys.size === 0 ? undefined : (key) => keys.has(key);
}

interface Parts {
  readonly store: RateLimitStore;
  readonly local: RateLimitStore;
  readonly clock: Clock;
  readonly denials: DenyCache;
}

function planOf(policy: Policy, { store, local, clock, denials }: Parts): Plan {
  const forgetDenial = (key: string): void => denials.forget(key);
  const lost = (error: unknown): void =>
    rateLimitEvents.publish({ type: "correction-lost", policy: policy.name, error });
  const corrector: Corrector = { store, forgetDenial, lost };
  const [limit] = policy.limits;
  const leases =
    policy.leaseMs !== undefined && limit
      ? new Leases({ ...corrector, clock, limit, leaseMs: policy.leaseMs })
      : undefined;
  const shortcut = leases || policy.limits.length > 1 ? undefined : limit;
  return { ...policy, denials, leases, shortcut, corrector, localCorrector: { store: local, forgetDenial, lost } };
}
