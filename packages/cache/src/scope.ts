import { InvalidArgumentError, type ParamRecord } from "@sluice/core";

import { createBulkhead } from "./bulkhead.ts";
import type { CacheEntry, CacheRead, ReadOptions } from "./entry.ts";
import { CacheClosedError } from "./errors.ts";
import { deepFreeze } from "./freeze.ts";
import type { Environment } from "./lifetime.ts";
import { currentLoad } from "./load-chain.ts";
import { unlessAborted, type LoadContext } from "./load.ts";
import { Loading } from "./loading.ts";
import { readMany } from "./many.ts";
import { createPlanner, type Planner } from "./plan.ts";
import type { Plan, Policy } from "./policy.ts";
import { ReadThrough, type ReadThroughGround } from "./read-through.ts";
import { policyOf, within, type ScopeOptions } from "./scope-options.ts";
import { targetsOf, type ScopeTargets } from "./scope-targets.ts";
import type { ReadRequest, Served } from "./served.ts";
import { Counters, type HealthOptions, type ScopeHealth, type ScopeStats } from "./stats.ts";
import type { GenerationTarget } from "./target.ts";
import { UnsentReads, type Unsent } from "./unsent.ts";

/** Values of one kind. */
export interface CacheScope<Params, Value> {
  /**
   * The value for the parameters: a copy in this process, else the stored one, else a loaded one. A stored value
   * costs one round trip, a loaded one three, and the load is shared by all processes.
   *
   * A value that others hold as well is deeply frozen: a loaded one, a copy, and one that was read together.
   *
   * @throws what the load throws, to all who share it.
   * @throws `ERR_SLUICE_CACHE_LOAD_TIMEOUT`, `ERR_SLUICE_CACHE_OVERLOADED`, `ERR_SLUICE_CACHE_LOAD_CYCLE`,
   *   `ERR_SLUICE_CACHE_VALUE` from loading.
   * @throws `ERR_SLUICE_CACHE_UNAVAILABLE` when the store does not answer and `onStoreError` is `"deny"`.
   * @throws `ERR_SLUICE_NOT_CANONICAL`, `ERR_SLUICE_INVALID_ARGUMENT` for parameters that make no key.
   */
  get(params: Params, options?: ReadOptions<Value>): Promise<Value>;
  /** As {@link get}, with where the value came from and how old it is: for `X-Cache` and `Age`. */
  read(params: Params, options?: ReadOptions<Value>): Promise<CacheRead<Value>>;
  /**
   * The values for many parameters, in their order. What is stored costs one round trip for each 256 of them.
   *
   * @throws as {@link get}, for the first that fails; nothing is read when one of the parameters makes no key.
   */
  getMany(params: readonly Params[], options?: ReadOptions<Value>): Promise<Value[]>;
  /** A copy in this process, if there is one that may be read; never waits. */
  peek(params: Params): Value | undefined;
  /** One set of parameters with its keys built: for what is read often, and for invalidation. */
  entry(params: Params): CacheEntry<Value>;
  /** Everything of this scope, to be invalidated. */
  all(): GenerationTarget;
  /** What was grouped by a value, to be invalidated: `group({ category: 12 })`. */
  group(value: ParamRecord): GenerationTarget;
  /** Results with a tag, to be invalidated. Of all scopes under the same prefix. */
  tag(tag: string): GenerationTarget;
  /** What was counted since the scope was made. */
  stats(): ScopeStats;
  /** How the last five minutes went. */
  health(): ScopeHealth;
}

/** What a scope shares with the others of its cache. */
export interface ScopeGround extends Omit<ReadThroughGround, "policy" | "bulkhead" | "counters"> {
  readonly enabled: () => boolean;
  readonly env: Environment | undefined;
  readonly health: HealthOptions;
  readonly isClosed: () => boolean;
}

/** A scope, with what its cache needs to know to flush by text. */
export interface MadeScope<Params, Value> extends CacheScope<Params, Value> {
  readonly policy: Policy;
  readonly prefix: string;
  readonly startingWith: ScopeTargets["startingWith"];
}

/** Makes a scope. */
export function createScope<Params, Value>(
  ground: ScopeGround,
  name: string,
  options: ScopeOptions<Params, Value>,
): MadeScope<Params, Value> {
  const policy = policyOf(name, options, ground.env);
  const { maxLoads = 32, maxWaiting = 10_000, load } = options;
  const counters = new Counters(name, ground.clock, ground.health);
  const bulkhead = createBulkhead({
    scope: name,
    maxLoads: within("maxLoads", maxLoads, { from: 1, to: 1_000_000 }),
    maxWaiting: within("maxWaiting", maxWaiting, { from: 0, to: 1_000_000 }),
  });
  ground.touched.outlive(policy.ttlMs + Math.max(policy.staleOnErrorMs, policy.staleWhileRevalidateMs));
  const own = { ...ground, policy, counters, bulkhead };
  const { l1 } = ground;
  const peek = (key: string): unknown => {
    const copy = l1?.peek(key);
    if (copy === undefined) return undefined;
    counters.peeks += 1;
    return copy.value;
  };
  const planner = createPlanner(policy, options);
  const reader = new Reader(own, new ReadThrough(own, new Loading(own)));
  const requestFor = (params: Params, { load: given, fresh = false }: ReadOptions<Value>): ReadRequest => {
    const loader = given ?? (load ? (context: LoadContext) => load(params, context) : undefined);
    if (!loader) throw new InvalidArgumentError("load", `given, as the scope "${name}" has none`, given);
    return { loader, fresh };
  };
  const valueOf = ({ value }: Served): Value => value as Value;
  const readOf = ({ value, outcome, storedMs }: Served): CacheRead<Value> => {
    return { value: value as Value, outcome, ageMs: Math.max(0, ground.store.now() - storedMs) };
  };
  const asked = (params: Params, given: ReadOptions<Value> = nothingGiven): Asked => {
    return { plan: planner.planOf(params), request: requestFor(params, given), signal: given.signal };
  };
  const targets = targetsOf({ policy, planner, prefix: options.prefix, segmented: options.key.segmented ?? false });
  return {
    policy,
    prefix: options.prefix,
    startingWith: targets.startingWith,
    get: (params, given) => orRejected(() => reader.read(asked(params, given), valueOf)),
    read: (params, given) => orRejected(() => reader.read(asked(params, given), readOf)),
    getMany: async (all, given) =>
      readMany(all, {
        ask: (params) => asked(params, given),
        read: (each) => reader.read(each, valueOf),
      }),
    peek: (params) => peek(planner.planOf(params).key) as Value | undefined,
    entry: (params) => entryOf({ planner, targets, reader, requestFor, valueOf, peek }, params),
    all: targets.all,
    group: targets.group,
    tag: targets.tag,
    stats: () => counters.stats(),
    health: () => counters.health(),
  };
}

const nothingGiven = {};

interface EntryParts<Params, Value> {
  readonly planner: Planner<Params>;
  readonly targets: ScopeTargets;
  readonly reader: Reader;
  readonly requestFor: (params: Params, given: ReadOptions<Value>) => ReadRequest;
  readonly valueOf: (served: Served) => Value;
  readonly peek: (key: string) => unknown;
}

function entryOf<Params, Value>(parts: EntryParts<Params, Value>, params: Params): CacheEntry<Value> {
  const { planner, targets, reader, requestFor, valueOf, peek } = parts;
  const plan = planner.planOf(params);
  const { key } = plan;
  let usual: Asked | undefined;
  const usually = (): Asked => (usual ??= { plan, request: requestFor(params, nothingGiven), signal: undefined });
  return {
    ...targets.keys(planner.droppedKeys(key)),
    key,
    get: (given) =>
      orRejected(() =>
        reader.read(given ? { plan, request: requestFor(params, given), signal: given.signal } : usually(), valueOf),
      ),
    peek: () => peek(key) as Value | undefined,
  };
}

/** The call's promise, or one of what it throws. An async function would have every hit wait for a promise more. */
function orRejected<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Reads of one scope as callers see them: copies first, and one way through the store for all of one turn. */
class Reader {
  readonly #ground: ScopeGround & { readonly counters: Counters };
  readonly #through: ReadThrough;
  readonly #unsent = new UnsentReads();

  constructor(ground: ScopeGround & { readonly counters: Counters }, through: ReadThrough) {
    this.#ground = ground;
    this.#through = through;
  }

  /** @param make - What the caller gets of what was served. */
  read<Made>({ plan, request, signal }: Asked, make: (served: Served) => Made): Promise<Made> {
    const { clock, enabled, isClosed, l1, counters } = this.#ground;
    if (isClosed()) return Promise.reject(new CacheClosedError("get"));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const startedMs = clock.monotonic();
    if (!enabled()) {
      const bypass: Unsent = { key: plan.key, served: this.#through.bypass(request), within: undefined };
      return this.#counted(bypass, { startedMs, joined: false, signal, make });
    }
    const copy = request.fresh ? undefined : l1?.peek(plan.key);
    if (copy) {
      counters.read("l1", startedMs);
      return Promise.resolve(make({ value: copy.value, outcome: "l1", storedMs: copy.storedMs }));
    }
    const inside = currentLoad();
    const unsent = request.fresh ? undefined : this.#unsent.find(plan.key, inside);
    if (unsent) {
      unsent.isShared = true;
      return this.#counted(unsent, { startedMs, joined: true, signal, make });
    }
    const own: Unsent = { key: plan.key, served: this.#through.read(plan, request), within: inside };
    if (!request.fresh) this.#unsent.offer(own);
    return this.#counted(own, { startedMs, joined: false, signal, make });
  }

  #counted<Made>(unsent: Unsent, { startedMs, joined, signal, make }: Reading<Made>): Promise<Made> {
    const { counters } = this.#ground;
    const served = signal ? unlessAborted(unsent.served, signal) : unsent.served;
    return served.then(
      (each) => {
        if (unsent.isShared) deepFreeze(each.value);
        const outcome = joined && each.outcome === "miss" ? "coalesced" : each.outcome;
        counters.read(outcome, startedMs);
        return make(outcome === each.outcome ? each : { ...each, outcome });
      },
      (error: unknown) => {
        counters.read("failed", startedMs);
        throw error;
      },
    );
  }
}

/** What a caller asks for. */
interface Asked {
  readonly plan: Plan;
  readonly request: ReadRequest;
  readonly signal: AbortSignal | undefined;
}

interface Reading<Made> {
  readonly startedMs: number;
  readonly joined: boolean;
  readonly signal: AbortSignal | undefined;
  readonly make: (served: Served) => Made;
}
