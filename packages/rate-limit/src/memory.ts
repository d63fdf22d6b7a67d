import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";

import type { Algorithm, Moment } from "./algorithm.ts";
import { algorithmOf, type LimitState } from "./algorithms.ts";
import { rateLimitEvents } from "./events.ts";
import { parseField, type NamedLimit } from "./field.ts";
import { Marks } from "./marks.ts";
import type {
  Answer,
  Ask,
  Change,
  Hit,
  LimitAnswer,
  Mark,
  RateLimitStore,
  SubjectState,
  TakeOptions,
} from "./store.ts";
import { Table } from "./table.ts";

/** How {@link memoryStore} keeps. */
export interface MemoryStoreOptions {
  /**
   * Subjects that each limit keeps apart, at most. What is above shares counts and is denied rather sooner. Default
   * 100 000.
   */
  readonly maxSubjects?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
  /** Decides who shares. Default: cryptographic. */
  readonly random?: Random;
}

/** The states of one limit. */
interface Meter {
  readonly algorithm: Algorithm<LimitState>;
  readonly table: Table<LimitState>;
}

/** One ask, with the state that it is about. */
interface Reading {
  readonly ask: Ask;
  readonly meter: Meter;
  readonly state: LimitState;
  readonly moment: Moment;
  readonly waitMs: number;
}

/**
 * The store of a single process: for development, for servers that have only one, and behind `onStoreError: "local"`.
 * It answers at once, sets no timers, and holds a bounded number of subjects. O(1) per limit and call, but for the
 * sliding log and slots, which move up to `limit` entries.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function memoryStore(options: MemoryStoreOptions = {}): RateLimitStore {
  const { maxSubjects = 100_000, clock = systemClock, random = systemRandom } = options;
  if (!Number.isSafeInteger(maxSubjects) || maxSubjects < 1) {
    throw new InvalidArgumentError("maxSubjects", "a whole number, at least 1", maxSubjects);
  }
  return new MemoryStore(maxSubjects, clock, random.integer(0, 2 ** 32));
}

class MemoryStore implements RateLimitStore {
  readonly #maxSubjects: number;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #meters = new Map<string, Meter>();
  readonly #marks: Marks;

  constructor(maxSubjects: number, clock: Clock, seed: number) {
    this.#maxSubjects = maxSubjects;
    this.#clock = clock;
    this.#seed = seed;
    this.#marks = new Marks(maxSubjects);
  }

  take(asks: readonly Ask[], options: TakeOptions): Answer {
    const nowMs = this.#clock.now();
    const blockedMs = this.#marks.blockedMs(asks, nowMs);
    const readings = asks.map((ask) => this.#read(ask, nowMs));
    const allowed = blockedMs === 0 && readings.every(({ waitMs }) => waitMs === 0);
    // What would never be allowed is a mistake of the caller, and counts for nothing.
    const countsDenied = blockedMs === 0 && readings.every(({ waitMs }) => waitMs !== Infinity);
    const limits = readings.map((reading) => {
      const counts = options.spend && (allowed || (countsDenied && reading.ask.countDenied === true));
      const stamp = counts ? spend(reading) : 0;
      return answerOf(counts && !allowed ? waitAgain(reading) : reading, stamp);
    });
    return { allowed, atMs: nowMs, blockedMs, limits };
  }

  hit(key: string, limit: NamedLimit, cost: number): Hit | undefined {
    const meter = this.#meters.get(limit.field);
    const nowMs = this.#clock.now();
    // Only of subjects by themselves: their state lives on until it is rolled, whenever it may be dropped.
    const state = this.#marks.isEmpty(nowMs) ? meter?.table.own(key) : undefined;
    if (!meter?.algorithm.hit || state === undefined) return undefined;
    const moment: Moment = { terms: limit, nowMs };
    const remaining = meter.algorithm.hit(state, moment, cost);
    return remaining < 1 ? undefined : { moment, remaining };
  }

  adjust(key: string, changes: readonly Change[]): number[] {
    const nowMs = this.#clock.now();
    return changes.map(({ limit, token = "", ...correction }) => {
      // Nothing is known any more, so nothing is corrected.
      if (this.#meterOf(limit).table.find(key) === undefined) return 0;
      const reading = this.#read({ key, limit, cost: 1 }, nowMs);
      const { meter, state, moment } = reading;
      const applied = meter.algorithm.adjust(state, moment, { ...correction, token });
      keep(reading);
      return applied;
    });
  }

  mark(key: string, mark: Mark): void {
    this.#marks.set(key, mark, this.#clock.now());
  }

  reset(key: string, limits?: readonly NamedLimit[]): void {
    for (const [field, { table }] of this.#meters) {
      if (limits === undefined || limits.some((limit) => limit.field === field)) table.forget(key);
    }
    if (limits === undefined) this.#marks.unblock(key, this.#clock.now());
  }

  inspect(key: string): SubjectState {
    const nowMs = this.#clock.now();
    const counters = [...this.#meters].flatMap(([field, { algorithm, table }]) => {
      const terms = parseField(field);
      const state = table.find(key);
      if (!terms || state === undefined) return [];
      const spent = algorithm.spent(state, { terms, nowMs });
      return spent === 0 ? [] : [{ name: terms.name, kind: terms.kind, perMs: terms.perMs, spent }];
    });
    return { ...this.#marks.shown(key, nowMs), counters };
  }

  #read(ask: Ask, nowMs: number): Reading {
    const { key, limit, cost } = ask;
    const meter = this.#meterOf(limit);
    const moment: Moment = { terms: this.#marks.termsOf(key, limit, nowMs), nowMs };
    let state = meter.table.find(key);
    if (state === undefined) state = meter.algorithm.begin(moment);
    else meter.algorithm.roll(state, moment);
    return { ask, meter, state, moment, waitMs: meter.algorithm.waitMs(state, moment, cost) };
  }

  #meterOf({ field, kind }: NamedLimit): Meter {
    const known = this.#meters.get(field);
    if (known) return known;
    const algorithm = algorithmOf(kind);
    const maxSubjects = this.#maxSubjects;
    const table = new Table<LimitState>({
      max: maxSubjects,
      seed: this.#seed,
      copy: (state) => algorithm.copy(state),
      onFull: () => rateLimitEvents.publish({ type: "memory-full", field, maxSubjects }),
    });
    const meter: Meter = { algorithm, table };
    this.#meters.set(field, meter);
    return meter;
  }
}

function spend(reading: Reading): number {
  const { ask, meter, state, moment } = reading;
  const stamp = meter.algorithm.spend(state, moment, { cost: ask.cost, token: ask.token ?? "" });
  keep(reading);
  return stamp;
}

/** A denied call that was counted waits for itself, too. */
function waitAgain(reading: Reading): Reading {
  const { meter, state, moment, ask } = reading;
  return { ...reading, waitMs: meter.algorithm.waitMs(state, moment, ask.cost) };
}

function keep({ ask, meter, state, moment }: Reading): void {
  const { nowMs } = moment;
  meter.table.keep(ask.key, state, { idleAtMs: meter.algorithm.idleAtMs(state, moment), nowMs });
}

function answerOf({ meter, state, moment, waitMs }: Reading, stamp: number): LimitAnswer {
  const remaining = meter.algorithm.remaining(state, moment);
  const nextMs = remaining > 0 ? 0 : meter.algorithm.waitMs(state, moment, 1);
  return { limit: moment.terms.limit, remaining, waitMs, nextMs, stamp };
}
