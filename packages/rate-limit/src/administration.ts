import { InvalidArgumentError, parseDuration, type Duration } from "@sluice/core";

import type { NamedLimit } from "./field.ts";
import { checkedCount, checkProduct, mostEntries } from "./limit.ts";
import type { OverrideOptions, RateLimiter } from "./limiter-options.ts";
import type { Plan, Plans } from "./plan.ts";
import type { Mark } from "./store.ts";
import type { Subject } from "./subject.ts";

type Administration<Name extends string> = Pick<
  RateLimiter<Name>,
  "reset" | "block" | "unblock" | "override" | "inspect"
>;

const longestMarkMs = 3660 * 86_400_000;

/** What operators do with a subject. Whatever it changes, this process forgets what it remembered about that subject. */
export function administration<Name extends string>(
  plans: Plans<Name>,
  keyOf: (subject: Subject) => string,
): Administration<Name> {
  const { store, local, instances } = plans;

  async function forgetting(key: string, work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } finally {
      for (const { denials, leases } of plans.all.values()) {
        denials.forget(key);
        leases?.forget(key);
      }
    }
  }

  async function mark(subject: Subject, written: Mark): Promise<void> {
    const key = keyOf(subject);
    await forgetting(key, async () => {
      await store.mark(key, written);
      await local.mark(key, shareOf(written, instances));
    });
  }

  return {
    async reset(subject, policy) {
      const key = keyOf(subject);
      const plan = policy === undefined ? undefined : plans.find(policy);
      await forgetting(key, async () => {
        await store.reset(key, plan?.limits);
        await local.reset(key, plan?.localLimits);
      });
    },
    block: async (subject, duration) => mark(subject, { kind: "block", forMs: markMs("duration", duration) }),
    unblock: async (subject) => mark(subject, { kind: "block", forMs: 0 }),
    override: async (policy, subject, override) => mark(subject, overrideOf(plans.find(policy), override ?? {})),
    inspect: async (subject) => store.inspect(keyOf(subject)),
  };
}

function overrideOf(plan: Plan, override: OverrideOptions | { readonly name?: string }): Mark {
  const limit = limitOf(plan, override.name);
  if (!("limit" in override)) return { kind: "override", name: limit.name, limit: 0, refill: 0, forMs: 0 };
  const forMs = markMs("for", override.for);
  const isEntries = limit.kind === "sliding-log" || limit.kind === "concurrency";
  checkedCount("limit", override.limit, isEntries ? mostEntries : Number.MAX_SAFE_INTEGER);
  checkProduct("limit", override.limit, limit.kind === "bucket" ? limit.perMs * 2 : limit.perMs);
  if (override.refill === undefined)
    return { kind: "override", name: limit.name, limit: override.limit, refill: 0, forMs };
  if (limit.kind !== "bucket")
    throw new InvalidArgumentError("refill", "left out, as this is no bucket", override.refill);
  checkedCount("refill", override.refill);
  return { kind: "override", name: limit.name, limit: override.limit, refill: override.refill, forMs };
}

/** What a process that counts by itself makes of it. Its buckets have a longer period in place of a smaller refill. */
function shareOf(mark: Mark, instances: number): Mark {
  return mark.kind === "block" ? mark : { ...mark, limit: Math.max(1, Math.floor(mark.limit / instances)) };
}

function limitOf({ name: policy, limits }: Plan, name: string | undefined): NamedLimit {
  const found = name === undefined && limits.length === 1 ? limits[0] : limits.find((limit) => limit.name === name);
  if (found) return found;
  const expected = `one of ${limits.map((limit) => limit.name).join(", ")}, the limits of "${policy}"`;
  throw new InvalidArgumentError("name", expected, name);
}

function markMs(argument: string, duration: Duration): number {
  return parseDuration(duration, { argument, minMs: 1, maxMs: longestMarkMs });
}
