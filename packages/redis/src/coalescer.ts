import { InvalidArgumentError, systemClock, systemRandom, type Clock, type Random } from "@sluice/core";

import { checkedArgument, checkLists } from "./arguments.ts";
import { alike } from "./batch.ts";
import { redisEvents } from "./events.ts";
import type { Entry, Redis, Reply, Script } from "./port.ts";
import { createSender } from "./sender.ts";
import { commonSlot, slotOf } from "./slot.ts";
import { TurnQueue } from "./turn-queue.ts";

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

/**
 * Makes one command of all calls that come in one turn of the event loop: a lone call is a plain EVALSHA, more become
 * one script over up to 128 entries. At most four batches are underway per server; the rest waits unsent.
 *
 * Entries of different hash slots, in a Cluster, go as one command per slot.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createCoalescer(options: CoalescerOptions): Coalescer {
  const { redis, script, deadlineMs = 250, maxWaiting = 65_536, acrossSlots = false, bytes = false } = options;
  const { clock = systemClock, random = systemRandom } = options;
  checkDeadline(deadlineMs);
  const queue = new TurnQueue<Entry, Reply>({
    redis,
    clock,
    deadlineMs,
    maxWaiting,
    writes: true,
    shardOf: ({ keys }) => (redis.sharded && keys[0] !== undefined ? redis.shardOf(slotOf(keys[0])) : ""),
    fit: alike,
    send: createSender({ redis, script, random, call: { deadlineMs, acrossSlots, bytes } }),
    onGone: (entry, reply) => void compensate(options, entry, reply),
  });
  return {
    get waiting() {
      return queue.waiting;
    },
    run(entry, call) {
      try {
        checkEntry(script, entry);
        if (entry.keys.length > 1 && (redis.sharded || !acrossSlots)) commonSlot(entry.keys);
      } catch (error) {
        return Promise.reject(error);
      }
      return queue.add(entry, call?.signal);
    },
  };
}

async function compensate({ script, ...options }: CoalescerOptions, entry: Entry, reply: Reply): Promise<void> {
  try {
    await options.compensate?.(entry, reply);
  } catch (error) {
    redisEvents.publish({ type: "compensation-failed", script: script.name, error });
  }
}

// Here, and not only where the batch is sent: what no client can send must not fail the others of its batch.
function checkEntry(script: Script, { keys, args }: Entry): void {
  checkLists(script, keys, args);
  for (const argument of args) checkedArgument(argument);
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
