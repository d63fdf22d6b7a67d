import type { Clock, Random } from "@sluice/core";

import type { Corrector } from "./booking.ts";
import { MadeDecision, waitOf, type Decision } from "./decision.ts";
import { RateLimitUnavailableError } from "./errors.ts";
import { rateLimitEvents } from "./events.ts";
import type { NamedLimit } from "./field.ts";
import { HitFacts } from "./hit-facts.ts";
import type { Plans } from "./plan.ts";
import type { Ask, MaybePromise, RateLimitStore, TakeOptions } from "./store.ts";
import {
  combined,
  decisionOf,
  refuseTwice,
  strictest,
  told,
  uncounted,
  verdictOf,
  type Verdict,
  type Wanted,
} from "./verdict.ts";

/** Puts modes, remembered denials, leases and failures around a store. */
export class Decider {
  readonly #store: RateLimitStore;
  readonly #local: RateLimitStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #isExempt: ((key: string) => boolean) | undefined;
  readonly #monotonic = (): number => this.#clock.monotonic();

  constructor({ store, local, clock, random, isExempt }: Omit<Plans<string>, "find">) {
    this.#isExempt = isExempt;
    this.#store = store;
    this.#local = local;
    this.#clock = clock;
    this.#random = random;
  }

  /** Decides about one subject. */
  decide(wanted: Wanted, options: TakeOptions): Promise<Decision> {
    if (this.#isExempt?.(wanted.key) === true) return Promise.resolve(uncounted("exempt"));
    const usual = this.#store.hit && options.spend && !options.signal ? this.#hit(wanted) : undefined;
    return usual ? Promise.resolve(usual) : this.#decide(wanted, options);
  }

  /** By the shortcut of a store, for a policy of one limit. */
  #hit(wanted: Wanted): Decision | undefined {
    const { plan, key, cost } = wanted;
    const { shortcut: limit } = plan;
    if (!limit || plan.mode() === "off") return undefined;
    const hit = this.#store.hit?.(key, limit, cost);
    if (!hit) return undefined;
    const decision = new MadeDecision(new HitFacts(wanted, limit, hit), true, true);
    return rateLimitEvents.hasSubscribers ? told([wanted], decision) : decision;
  }

  async #decide(wanted: Wanted, options: TakeOptions): Promise<Decision> {
    if (wanted.plan.mode() === "off") return uncounted("off");
    options.signal?.throwIfAborted();
    const all = [wanted];
    let verdict = this.#remembered(wanted);
    try {
      if (!verdict) {
        const asked = this.#ask(wanted, options);
        verdict = asked instanceof Promise ? await asked : asked;
      }
    } catch (error) {
      return this.#afterFailure(all, error, options);
    }
    return told(all, decisionOf(all, verdict));
  }

  /** Decides about several at once. */
  async decideAll(demanded: readonly Wanted[], options: TakeOptions): Promise<Decision> {
    const wanted = demanded.filter(({ key }) => this.#isExempt?.(key) !== true);
    if (wanted.length === 0) return uncounted("exempt");
    const enforced = wanted.filter(({ plan }) => plan.mode() === "enforce");
    const watched = wanted.filter(({ plan }) => plan.mode() === "shadow");
    const decision = enforced.length > 0 ? await this.#decideTogether(enforced, options) : undefined;
    if (watched.length === 0 || decision?.allowed === false) return decision ?? uncounted("off");
    // Policies that are only watched must not deny the others: they are asked by themselves, about what passes.
    const shadow = await this.#decideTogether(watched, options);
    return decision ?? shadow;
  }

  async #decideTogether(all: readonly Wanted[], options: TakeOptions): Promise<Decision> {
    options.signal?.throwIfAborted();
    const asks = all.flatMap((wanted) => this.#asksOf(wanted, wanted.plan.limits));
    refuseTwice(asks);
    const corrector = correctorOf(all, "corrector");
    let verdict: Verdict;
    try {
      verdict = verdictOf(asks, await this.#store.take(asks, options), { via: "store", corrector, options });
    } catch (error) {
      return this.#afterFailure(all, error, options);
    }
    return told(all, decisionOf(all, verdict));
  }

  #remembered({ plan, key, cost }: Wanted): Verdict | undefined {
    const denial = plan.denials.find(key, cost, this.#monotonic);
    if (!denial) return undefined;
    const asks = plan.limits.map((limit) => ({ key, limit, cost }));
    const agedMs = this.#clock.monotonic() - denial.sinceMs;
    return { answer: denial.answer, asks, via: "deny-cache", agedMs, booking: undefined };
  }

  #ask(wanted: Wanted, options: TakeOptions): MaybePromise<Verdict> {
    const { plan, key, cost } = wanted;
    const [limit] = plan.limits;
    if (plan.leases && limit && options.spend) return plan.leases.take({ key, limit, cost }, options.signal);
    const asks = this.#asksOf(wanted, plan.limits);
    const taken = this.#store.take(asks, options);
    const context = { via: "store", corrector: plan.corrector, options } as const;
    if (!(taken instanceof Promise)) return verdictOf(asks, taken, context);
    // Before it can have been sent: the store's wait begins no earlier.
    const sinceMs = this.#clock.monotonic();
    return taken.then((answer) => {
      // A slot may be released at any moment, and what counts must be told.
      if (!answer.allowed && !plan.hasSlots && !plan.countDenied)
        plan.denials.add(key, { answer, cost, sinceMs }, waitOf(answer));
      return verdictOf(asks, answer, context);
    });
  }

  async #afterFailure(all: readonly Wanted[], error: unknown, options: TakeOptions): Promise<Decision> {
    if (options.signal?.aborted) throw options.signal.reason;
    const policy = all.map(({ plan }) => plan.name).join("+");
    const action = strictest(all);
    rateLimitEvents.publish({ type: "store-error", policy, action, error });
    if (action === "deny") throw new RateLimitUnavailableError(policy, { cause: error });
    if (action === "allow") return told(all, uncounted("open"));
    const asks = all.flatMap((wanted) => this.#asksOf(wanted, wanted.plan.localLimits));
    const answer = await this.#local.take(asks, options);
    const corrector = correctorOf(all, "localCorrector");
    return told(all, decisionOf(all, verdictOf(asks, answer, { via: "local", corrector, options })));
  }

  #asksOf({ key, cost, plan }: Wanted, limits: readonly NamedLimit[]): Ask[] {
    return limits.map((limit) => ({
      key,
      limit,
      cost,
      countDenied: plan.countDenied,
      token: limit.kind === "concurrency" ? this.#newToken() : undefined,
    }));
  }

  /** 72 random bits in 12 characters. */
  #newToken(): string {
    const text = btoa(String.fromCharCode(...this.#random.bytes(9)));
    return text.replaceAll("+", "-").replaceAll("/", "_");
  }
}

function correctorOf(all: readonly Wanted[], which: "corrector" | "localCorrector"): Corrector {
  const [first] = all;
  if (!first) throw new Error("There is nothing to decide about.");
  return combined(all, first.plan[which]);
}
