import { InvalidArgumentError, sleep, parseDuration } from "@sluice/core";

import { administration } from "./administration.ts";
import { Decider } from "./decider.ts";
import type { Decision } from "./decision.ts";
import type { NamedLimit } from "./field.ts";
import { checkedCount } from "./limit.ts";
import type { AcquireOptions, ConsumeOptions, Demand, RateLimiter, RateLimiterOptions } from "./limiter-options.ts";
import { plansOf, type Plans } from "./plan.ts";
import type { TakeOptions } from "./store.ts";
import { keyOf, type Subject } from "./subject.ts";
import type { Wanted } from "./verdict.ts";

const mostDemands = 16;
// Not so short that those who wait are a load of their own.
const slotLookMs = 100;
const usual: ConsumeOptions = {};

const spends: TakeOptions = { spend: true };

/**
 * Makes a limiter. Without a store it counts in this process; `redisStore(redis)` of `@sluice/rate-limit/redis` makes
 * any number of processes agree.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { byUser, createRateLimiter, window } from "@sluice/rate-limit";
 *
 * const limiter = createRateLimiter({ policies: { write: window({ limit: 2, per: "1m" }) } });
 * (await limiter.consume("write", byUser("42"))).allowed; // => true
 * (await limiter.consume("write", byUser("42"))).limits[0]?.remaining; // => 0
 * (await limiter.consume("write", byUser("42"))).allowed; // => false
 * ```
 */
export function createRateLimiter<const Name extends string>(options: RateLimiterOptions<Name>): RateLimiter<Name> {
  const plans = plansOf(options);
  const { clock } = plans;
  const decider = new Decider(plans);

  function wantedOf(policy: Name, subject: Subject, cost: number | undefined): Wanted {
    return { plan: plans.find(policy), key: keyOf(subject), cost: costOf(cost) };
  }

  // No async function around one that is: each costs as much as all that is done here.
  function consume(policy: Name, subject: Subject, { cost, signal }: ConsumeOptions = usual): Promise<Decision> {
    try {
      return decider.decide(wantedOf(policy, subject, cost), signal ? { spend: true, signal } : spends);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async function consumeAll(
    demands: readonly Demand<Name>[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Decision> {
    if (demands.length === 0 || demands.length > mostDemands) {
      throw new InvalidArgumentError("demands", `1 to ${mostDemands} of them`, demands.length);
    }
    const wanted = demands.map(({ policy, subject, cost }) => wantedOf(policy, subject, cost));
    return decider.decideAll(wanted, { spend: true, signal });
  }

  async function check(policy: Name, subject: Subject, { cost, signal }: ConsumeOptions = usual): Promise<Decision> {
    return decider.decide(wantedOf(policy, subject, cost), { spend: false, signal });
  }

  async function acquire(policy: Name, subject: Subject, acquiring: AcquireOptions = {}): Promise<Decision> {
    const { maxWait = 10_000, ...consuming } = acquiring;
    const giveUpMs = clock.monotonic() + parseDuration(maxWait, { argument: "maxWait" });
    for (;;) {
      const decision = await consume(policy, subject, consuming);
      if (decision.allowed) return decision;
      const waitMs = soonestMs(decision);
      if (clock.monotonic() + waitMs > giveUpMs) return decision;
      await sleep(clock, waitMs, consuming.signal);
    }
  }

  async function close(): Promise<void> {
    for (const { leases } of plans.all.values()) await leases?.close();
  }

  return {
    policies: limitsOf(plans),
    consume,
    consumeAll,
    check,
    acquire,
    ...administration(plans, keyOf),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function limitsOf<Name extends string>({ all }: Plans<Name>): Readonly<Record<Name, readonly NamedLimit[]>> {
  return Object.fromEntries([...all].map(([name, { limits }]) => [name, limits])) as Record<
    Name,
    readonly NamedLimit[]
  >;
}

/** When a call may fit: its limits say so exactly, but slots are released at any moment. */
function soonestMs({ blockedMs, limits }: Decision): number {
  const waits = limits.map(({ kind, retryAfterMs }) =>
    kind === "concurrency" ? Math.min(retryAfterMs, slotLookMs) : retryAfterMs,
  );
  return Math.max(blockedMs, ...waits);
}

function costOf(cost: number | undefined): number {
  return cost === undefined ? 1 : checkedCount("cost", cost);
}
