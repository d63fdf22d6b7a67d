import { sleep } from "@sluice/core";

import { CacheUnavailableError } from "./errors.ts";
import { cacheEvents } from "./events.ts";
import type { Watch } from "./l1.ts";
import { isDueEarly } from "./lifetime.ts";
import type { Loading } from "./loading.ts";
import { beginLook, hasLost, judge, judgeUsual, plainValueOf, remind, valueOf, type Found, type Seen } from "./look.ts";
import type { Plan } from "./policy.ts";
import type { EncodedRecord } from "./record.ts";
import { Refreshes, type RefreshGround } from "./refreshes.ts";
import type { ReadRequest, Served } from "./served.ts";
import { StaleCopies } from "./stale-copies.ts";
import type { Snapshot } from "./store.ts";
import { Unstored } from "./unstored.ts";
import { Wait } from "./wait.ts";

/** What {@link ReadThrough} needs. */
export interface ReadThroughGround extends RefreshGround {
  readonly onStoreError: "allow" | "deny";
  /** Told how each call of the store went. */
  readonly storeHealth: { failed(error: unknown): void; answered(): void };
}

/** A value that may be served although it is not fresh. */
type Fallback = Served & { readonly outcome: "stale" };

const mostChanges = 2;
const mostReminders = 2;

/** The store could not be asked, or is not to be believed. */
class StoreTrouble extends Error {}

/** Reads of one scope: from the store, from a load of its own or of another, or past its time where that is allowed. */
export class ReadThrough {
  readonly #ground: ReadThroughGround;
  readonly #loading: Loading;
  readonly #stale: StaleCopies;
  readonly #unstored: Unstored;
  readonly #refreshes: Refreshes;

  constructor(ground: ReadThroughGround, loading: Loading) {
    this.#ground = ground;
    this.#loading = loading;
    this.#stale = new StaleCopies(ground.clock, ground.policy);
    this.#unstored = new Unstored(ground.invalidator);
    this.#refreshes = new Refreshes(ground, { loading, stale: this.#stale });
  }

  /** One read, from a look at the store to its value. */
  read(plan: Plan, request: ReadRequest, before?: Wait): Promise<Served> {
    const { l1, store } = this.#ground;
    let watch: Watch | undefined;
    const unanswered = (error: unknown): Promise<Served> => {
      l1?.unwatch(watch);
      return this.#unanswered(error, { plan, request, judged: false });
    };
    try {
      watch = beginLook(this.#ground, plan);
      // Most of what a hit costs is memory: an async function, which can wait again, is entered by what is no hit.
      const answered = (snapshot: Snapshot): Served | Promise<Served> => {
        const answer: Answered = { plan, request, snapshot, watch };
        return this.#usual(answer) ?? this.#goOn(answer, before ?? new Wait(this.#ground));
      };
      return store.read(plan).then(answered, unanswered);
    } catch (error) {
      return unanswered(error);
    }
  }

  /** What is handed out at once: a record that stands. */
  #usual({ plan, request, snapshot, watch }: Answered): Served | undefined {
    if (request.fresh || hasLost(this.#ground, plan, snapshot)) return undefined;
    const found = judgeUsual(this.#ground, plan, { snapshot, watch });
    const valued = found && plainValueOf(this.#ground.policy, found.record);
    if (!valued) return undefined;
    this.#ground.storeHealth.answered();
    const served = this.#served({ plan, request, found, record: found.record }, valued.value);
    this.#ground.l1?.unwatch(watch);
    return served;
  }

  /** Goes on with what cannot be handed out at once, and looks again where that may help. */
  async #goOn({ plan, request, snapshot, watch }: Answered, wait: Wait): Promise<Served> {
    const { l1, storeHealth } = this.#ground;
    let found: Found | undefined;
    try {
      if (wait.reminders < mostReminders && hasLost(this.#ground, plan, snapshot)) {
        wait.reminders += 1;
        await remind(this.#ground);
      } else {
        wait.reminders = 0;
        found = await judge(this.#ground, plan, { snapshot, watch });
        storeHealth.answered();
        const stored = await this.#stored(plan, request, found);
        const served = stored ?? (await this.#fromLoad({ plan, found, wait }, request));
        if (served) return served;
      }
    } catch (error) {
      return await this.#unanswered(error, { plan, request, judged: found !== undefined });
    } finally {
      l1?.unwatch(watch);
    }
    return this.read(plan, request, wait);
  }

  /** A load as if there were no cache. */
  async bypass(request: ReadRequest): Promise<Served> {
    return this.#loading.apart(request, "bypass");
  }

  async #stored(plan: Plan, request: ReadRequest, found: Found): Promise<Served | undefined> {
    const { record, fresh } = found;
    if (!record || request.fresh || (!fresh && !this.#stale.mayServe(plan.key, found))) return undefined;
    const valued = await valueOf(this.#ground.policy, record);
    return valued && this.#served({ plan, request, found, record }, valued.value);
  }

  /** What is handed out with a value that was stored: perhaps a copy, perhaps a reload. */
  #served({ plan, request, found, record }: Hit, value: unknown): Served {
    const { policy, l1, store, random } = this.#ground;
    const { storedMs } = record;
    if (!found.fresh) {
      if (!this.#stale.isResting(plan.key)) this.#refreshes.start(plan, request, found);
      return { value, outcome: "stale", storedMs };
    }
    const { watch } = found;
    const { earlyBeta: beta } = policy;
    if (watch || beta > 0) {
      const leftMs = record.freshUntilMs - store.now();
      // A copy knows nothing of tags.
      if (watch && record.tags === "") l1?.keep(plan.key, watch, { value, storedMs, size: record.length, leftMs });
      if (isDueEarly({ leftMs, loadMs: record.loadMs, beta, random })) this.#refreshes.start(plan, request, found);
    }
    return { value, outcome: "hit", storedMs };
  }

  async #fromLoad({ plan, found, wait }: Attempt, request: ReadRequest): Promise<Served | undefined> {
    const fallback = request.fresh ? undefined : await this.#fallback(found);
    const claim = await this.#asked(() => this.#loading.claim(plan, found));
    if (claim.state === "granted") {
      const outcome = this.#loading.lead(claim.lead, request, { reason: "miss", stale: fallback?.value });
      return this.#orFallback(plan.key, outcome, fallback);
    }
    // Somebody reloads it already, here or elsewhere: what may be served meanwhile is.
    if (fallback && claim.state !== "changed") return fallback;
    if (claim.state === "shared" && !request.fresh) {
      const served = await claim.load.outcome;
      return { ...served, outcome: "coalesced" };
    }
    if (claim.state === "changed") {
      wait.changes += 1;
      if (wait.changes <= mostChanges) return undefined;
    }
    if (fallback) return fallback;
    return this.#waited(request, wait, claim.state === "held" ? claim.leftMs : 0);
  }

  /** The outcome, or the value past its time when the load fails or takes too long. */
  async #orFallback(key: string, outcome: Promise<Served>, fallback: Fallback | undefined): Promise<Served> {
    if (!fallback) return outcome;
    const { clock, policy } = this.#ground;
    const over = new AbortController();
    const late =
      policy.softTimeoutMs === Number.POSITIVE_INFINITY
        ? []
        : [sleep(clock, policy.softTimeoutMs, over.signal).then(() => fallback)];
    try {
      return await Promise.race([outcome, ...late]);
    } catch (error) {
      cacheEvents.publish({ type: "refresh-failed", scope: policy.scope, error });
      this.#stale.rest(key);
      return fallback;
    } finally {
      over.abort();
      // What is not waited for any more reaches nobody.
      for (const each of [outcome, ...late]) each.catch(() => {});
    }
  }

  /** Pauses and tells to look again, or loads what will not be stored when the wait is over. */
  async #waited(request: ReadRequest, wait: Wait, leftMs: number): Promise<Served | undefined> {
    const { policy } = this.#ground;
    // Nothing will be stored for others to find: waiting would be in vain.
    const waitMs = policy.ttlMs === 0 || request.fresh ? 0 : policy.waitMs;
    if (await wait.pause({ waitMs, leftMs })) return undefined;
    return this.#loading.apart(request, "wait-over");
  }

  async #fallback(found: Found): Promise<Fallback | undefined> {
    const { record } = found;
    if (!record || !this.#stale.mayFallBack(found)) return undefined;
    const stored = await valueOf(this.#ground.policy, record);
    return stored && { value: stored.value, outcome: "stale", storedMs: record.storedMs };
  }

  /** What is served after an error, unless it is the caller's own. */
  async #unanswered(error: unknown, { plan, request, judged }: Unanswered): Promise<Served> {
    if (error instanceof StoreTrouble) return this.#degraded(plan, request, error.cause);
    if (judged) throw error;
    // Before there is anything to judge, only the store can have failed.
    this.#ground.storeHealth.failed(error);
    return this.#degraded(plan, request, error);
  }

  async #degraded(plan: Plan, request: ReadRequest, cause: unknown): Promise<Served> {
    const { onStoreError, policy } = this.#ground;
    if (onStoreError === "deny") throw new CacheUnavailableError(policy.scope, { cause });
    const load = (): Promise<Served> => this.#loading.apart(request, "degraded");
    return request.fresh ? load() : this.#unstored.shared(plan.key, load);
  }

  async #asked<T>(call: () => Promise<T>): Promise<T> {
    const { storeHealth } = this.#ground;
    try {
      const answer = await call();
      storeHealth.answered();
      return answer;
    } catch (error) {
      storeHealth.failed(error);
      throw new StoreTrouble("the store is not asked", { cause: error });
    }
  }
}

interface Asked {
  readonly plan: Plan;
  readonly request: ReadRequest;
}

interface Answered extends Asked, Seen {}

interface Unanswered extends Asked {
  /** Whether the store had answered. */
  readonly judged: boolean;
}

interface Hit extends Asked {
  readonly found: Found;
  readonly record: EncodedRecord;
}

interface Attempt {
  readonly plan: Plan;
  readonly found: Found;
  readonly wait: Wait;
}
