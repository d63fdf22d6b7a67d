import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";

import { alike, batchOf, pack, unpack, type Nonce } from "./batch.ts";
import { directly, type Execution } from "./direct.ts";
import { ownError, RedisReplyError, RedisUnknownError } from "./errors.ts";
import { redisEvents } from "./events.ts";
import type { CallOptions, Entry, Redis, Reply, Script } from "./port.ts";
import { commonSlot, slotOf, tagOf } from "./slot.ts";
import { TurnQueue, type Job } from "./turn-queue.ts";

/** What a coalescer runs, and how. */
export interface CoalescerOptions {
  /** Where to. */
  readonly redis: Redis;
  /** The operation. Written for one entry; the batch is made from it. */
  readonly script: Script;
  /** Longest wait of a caller in ms, waiting to be sent included. Default 250. */
  readonly deadlineMs?: number;
  /**
   * Called when an answer comes whose caller has gone, by its signal or its deadline: undo what the entry did, such as
   * releasing the lock that nobody waits for any more. Not called for an entry that failed.
   */
  readonly compensate?: (entry: Entry, reply: Reply) => Promise<void> | void;
  /** Answer strings as bytes. Default `false`. */
  readonly bytes?: boolean;
  /** As in {@link CallOptions.acrossSlots}, for the keys of each entry. Default `false`. */
  readonly acrossSlots?: boolean;
  /** Entries that may wait to be sent at once. Default 65 536. */
  readonly maxWaiting?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
  /** Names batches on a client that resends. Default: cryptographic. */
  readonly random?: Random;
}

/** One operation, run for many callers at once. */
export interface Coalescer {
  /** Entries that have not been sent yet. */
  readonly waiting: number;
  /**
   * Runs the script for one entry, in one command with all other entries of this turn of the event loop. Entries are
   * independent: each sees what those before it wrote, and one that fails undoes nobody.
   *
   * @throws the errors of {@link Redis.run}, per entry. With `signal`, `ERR_SLUICE_REDIS_UNAVAILABLE` when it aborts
   *   before the entry was sent and `ERR_SLUICE_REDIS_UNKNOWN` after.
   */
  run(entry: Entry, options?: { readonly signal?: AbortSignal }): Promise<Reply>;
}

const keepMs = 5000;

/**
 * Makes one command of all calls that come in one turn of the event loop: a lone call is a plain EVALSHA, more become
 * one script over up to 128 entries. At most four batches are underway per server; the rest waits unsent.
 *
 * Entries of different hash slots, in a Cluster, go as one command per slot.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createCoalescer(options: CoalescerOptions): Coalescer {
  const { redis, script, deadlineMs = 250, maxWaiting = 65_536, clock = systemClock, acrossSlots = false } = options;
  checkDeadline(deadlineMs);
  const queue = new TurnQueue<Entry, Reply>({
    redis,
    clock,
    deadlineMs,
    maxWaiting,
    writes: true,
    shardOf: ({ keys }) => (redis.sharded && keys[0] !== undefined ? redis.shardOf(slotOf(keys[0])) : ""),
    fit: alike,
    send: createSender(options, { deadlineMs, acrossSlots, bytes: options.bytes === true }),
    onGone: (entry, reply) => void compensate(options, entry, reply),
  });
  return {
    get waiting() {
      return queue.waiting;
    },
    run(entry, { signal } = {}) {
      try {
        checkEntry(script, entry);
        if (entry.keys.length > 1 && (redis.sharded || !acrossSlots)) commonSlot(entry.keys);
      } catch (error) {
        return Promise.reject(error);
      }
      return queue.add(entry, signal);
    },
  };
}

type Jobs = readonly Job<Entry, Reply>[];

/** Sends jobs as one command, or in a Cluster as one per slot, and settles each. */
function createSender({ redis, script, random }: CoalescerOptions, call: CallOptions) {
  const nextNonce = createNonces(random ?? systemRandom);
  const run = directly(redis);
  const batchCall: CallOptions = { ...call, acrossSlots: !redis.sharded };

  function executionOf(jobs: Jobs, slot: number | undefined): Execution {
    const first = jobs[0];
    if (first && isAlone(redis, jobs)) return { script, entry: first.work, call };
    const entries = jobs.map(({ work }) => work);
    const nonce = redis.resends ? nextNonce(slot) : undefined;
    return { script: batchOf(script), entry: pack(entries, nonce), call: batchCall };
  }

  function sendGroup(jobs: Jobs, slot: number | undefined, freed: () => void): void {
    const isBatch = !isAlone(redis, jobs);
    const succeed = (reply: Reply): void => {
      freed();
      deliver(jobs, reply, isBatch);
    };
    const fail = (error: Error): void => {
      freed();
      failAll(jobs, error, isBatch);
    };
    run(executionOf(jobs, slot), succeed, fail);
  }

  return (jobs: Jobs, freed: () => void): void => {
    if (!redis.sharded) return sendGroup(jobs, undefined, freed);
    const bySlot = Map.groupBy(jobs, ({ work: { keys } }) => (keys[0] === undefined ? undefined : slotOf(keys[0])));
    let left = bySlot.size;
    const oneFreed = (): void => {
      left -= 1;
      if (left === 0) freed();
    };
    for (const [slot, group] of bySlot) sendGroup(group, slot, oneFreed);
    return undefined;
  };
}

/** Whether the jobs go as a plain call: a client that resends needs the nonce, which only a batch has. */
function isAlone(redis: Redis, jobs: Jobs): boolean {
  return jobs.length === 1 && !redis.resends;
}

function deliver(jobs: Jobs, reply: Reply, isBatch: boolean): void {
  if (!isBatch) return jobs[0]?.answer(reply);
  const outcomes = unpack(reply, jobs.length);
  for (const [index, job] of jobs.entries()) {
    const outcome = outcomes[index] ?? { error: "ERR the batch has no answer for this entry" };
    if ("answer" in outcome) job.answer(outcome.answer);
    else job.fail(new RedisReplyError(outcome.error));
  }
}

function failAll(jobs: Jobs, error: Error, isBatch: boolean): void {
  for (const job of jobs) job.fail(ownError(error));
  const late = error instanceof RedisUnknownError ? error.late : undefined;
  late?.then((reply) => deliver(jobs, reply, isBatch)).catch(() => {});
}

async function compensate({ script, ...options }: CoalescerOptions, entry: Entry, reply: Reply): Promise<void> {
  try {
    await options.compensate?.(entry, reply);
  } catch (error) {
    redisEvents.publish({ type: "compensation-failed", script: script.name, error });
  }
}

function checkEntry({ name, keys }: Script, entry: Entry): void {
  if (keys !== undefined && entry.keys.length !== keys) {
    throw new InvalidArgumentError("keys", `${keys} keys, as ${name} takes`, entry.keys.length);
  }
}

/**
 * Refuses a deadline that the port would refuse later, for every call.
 *
 * @internal
 */
export function checkDeadline(deadlineMs: number): void {
  if (deadlineMs >= 1 && deadlineMs <= 10_000) return;
  throw new InvalidArgumentError("deadlineMs", "from 1 to 10000", deadlineMs);
}

function createNonces(random: Random): (slot: number | undefined) => Nonce {
  let prefix: string | undefined;
  let number = 0;
  return (slot) => {
    prefix ??= Buffer.from(random.bytes(12)).toString("base64url");
    number += 1;
    // In a Cluster in the slot of the entries.
    const tag = slot === undefined ? "" : `${tagOf(slot)}:`;
    return { key: `sluice:once:${tag}${prefix}:${number.toString(36)}`, keepMs };
  };
}
