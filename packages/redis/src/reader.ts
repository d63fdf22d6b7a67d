import { systemClock, type Clock } from "@sluice/core";

import { checkedKey } from "./arguments.ts";
import { checkDeadline } from "./coalescer.ts";
import { ownError } from "./errors.ts";
import type { CallOptions, Redis, Reply } from "./port.ts";
import { slotOf } from "./slot.ts";
import { TurnQueue, type Job } from "./turn-queue.ts";

/** What a reader reads, and how. */
export interface ReaderOptions<Bytes extends boolean = false> {
  /** Where from. */
  readonly redis: Redis;
  /** Answer bytes instead of text. Default `false`. */
  readonly bytes?: Bytes;
  /** Longest wait of a caller in ms, waiting to be sent included. Default 250. */
  readonly deadlineMs?: number;
  /** Reads that may wait to be sent at once. Default 65 536. */
  readonly maxWaiting?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
}

/** Reads strings for many callers at once. */
export interface Reader<Value> {
  /**
   * The string under a key, or null: none, or a value of another type. One MGET with all other reads of this turn of
   * the event loop; equal keys are read once.
   *
   * @throws the errors of {@link Redis.read}.
   */
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<Value | null>;
  /**
   * The strings under several keys, in the order of the keys, as {@link Reader.get} each. On one server they are read
   * at one moment.
   *
   * @throws the errors of {@link Redis.read}.
   */
  getAll(keys: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<(Value | null)[]>;
}

/**
 * Makes one MGET of all reads that come in one turn of the event loop, up to 128 calls at a time. In a Cluster, one
 * per slot.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createReader<Bytes extends boolean = false>(
  options: ReaderOptions<Bytes>,
): Reader<Bytes extends true ? Uint8Array : string> {
  type Value = Bytes extends true ? Uint8Array : string;
  const { redis, deadlineMs = 250, maxWaiting = 65_536, clock = systemClock } = options;
  checkDeadline(deadlineMs);
  const call: CallOptions = { deadlineMs, bytes: options.bytes === true };
  type Values = (Value | null)[];
  type Jobs = readonly ReadJob<Value>[];

  function readGroup(jobs: Jobs, freed: () => void): void {
    const { keys, hand } = jobs.length === 1 && jobs[0] ? readAlone(jobs[0]) : readTogether(jobs);
    const succeed = (reply: Reply): void => {
      freed();
      hand(reply as Values);
    };
    const fail = (error: Error): void => {
      freed();
      for (const job of jobs) job.fail(ownError(error));
    };
    redis.read("MGET", keys, call).then(succeed, fail);
  }

  function send(jobs: Jobs, freed: () => void): void {
    const groups = redis.sharded ? [...Map.groupBy(jobs, ({ work }) => slotOf(keyIn(work))).values()] : [jobs];
    let left = groups.length;
    const oneFreed = (): void => {
      left -= 1;
      if (left === 0) freed();
    };
    for (const group of groups) readGroup(group, oneFreed);
  }

  const queue = new TurnQueue<readonly string[], Values>({
    redis,
    clock,
    deadlineMs,
    maxWaiting,
    writes: false,
    shardOf: (work) => (redis.sharded ? redis.shardOf(slotOf(keyIn(work))) : ""),
    fit: anyFit,
    send,
  });
  const readEach = async (keys: readonly string[], signal: AbortSignal | undefined): Promise<Values> =>
    (await Promise.all(keys.map((key) => queue.add([key], signal)))).flat();
  return {
    get: async (key, { signal } = {}) => (await queue.add([checkedKey(key)], signal))[0] ?? null,
    getAll(keys, { signal } = {}) {
      if (keys.length === 0) return Promise.resolve([]);
      try {
        for (const key of keys) checkedKey(key);
      } catch (error) {
        return Promise.reject(error);
      }
      return redis.sharded ? readEach(keys, signal) : queue.add(keys, signal);
    },
  };
}

type ReadJob<Value> = Job<readonly string[], (Value | null)[]>;

/** One MGET, and what hands out its values. */
interface SharedRead<Value> {
  readonly keys: readonly string[];
  readonly hand: (values: (Value | null)[]) => void;
}

function readAlone<Value>(job: ReadJob<Value>): SharedRead<Value> {
  return { keys: job.work, hand: (values) => job.answer(values) };
}

/** Equal keys are read once: all who read a cache ask for the same generations. */
function readTogether<Value>(jobs: readonly ReadJob<Value>[]): SharedRead<Value> {
  const known = new Map<string, number>();
  const keys: string[] = [];
  // Of all keys of all jobs in turn.
  const places: number[] = [];
  for (const { work } of jobs) {
    for (const key of work) {
      let place = known.get(key);
      if (place === undefined) {
        place = keys.push(key) - 1;
        known.set(key, place);
      }
      places.push(place);
    }
  }
  const hand: SharedRead<Value>["hand"] = (values) => {
    let next = 0;
    for (const job of jobs) {
      const own: (Value | null)[] = [];
      for (let count = job.work.length; count > 0; count -= 1) own.push(values[places[next++] ?? -1] ?? null);
      job.answer(own);
    }
  };
  return { keys, hand };
}

// In a Cluster the work of a job is one key.
function keyIn(work: readonly string[]): string {
  return work[0] ?? "";
}

function anyFit(): boolean {
  return true;
}
