import { InvalidArgumentError, type Clock, type Random } from "@sluice/core";
import { createCoalescer, slotOf, type Entry, type Redis, type Reply } from "@sluice/redis";

import type { Answer, Ask, Change, RateLimitStore, TakeOptions } from "../store.ts";
import { decideAcrossSlots } from "./across-slots.ts";
import { adjustArguments, slotsTaken, takeEntry } from "./arguments.ts";
import { readAnswer, readApplied, readSubject, readTime } from "./replies.ts";
import { adjustScript, markScript, resetScript, takeScript } from "./scripts.generated.ts";

/** How {@link redisStore} uses Redis. */
export interface RedisStoreOptions {
  /** Longest wait for a decision in ms, waiting to be sent included, from 1 to 10 000. Default 50. */
  readonly deadlineMs?: number;
  /** Stands before every key, for applications that share a server. Without braces. Default none. */
  readonly prefix?: string;
  /** For tests: what time it is. Default: the server's own TIME, on which all processes agree. */
  readonly clock?: Pick<Clock, "now">;
  /** Names batches on a client that resends. Default: cryptographic. */
  readonly random?: Random;
}

/**
 * The store that processes share. A subject is one hash, so it lives on one server of a Cluster. A decision is one
 * script call, however many limits it is about, and all calls of a turn of the event loop are one command.
 *
 * Subjects of one decision that lie in several hash slots of a Cluster are asked one slot after the other, the
 * tightest first, and what was spent is given back when a later one denies. A process that dies in between leaves too
 * much spent, never too little.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function redisStore(redis: Redis, options: RedisStoreOptions = {}): RateLimitStore {
  const { deadlineMs = 50, prefix = "", clock, random } = options;
  if (/[{}]/.test(prefix)) throw new InvalidArgumentError("prefix", "text without braces", prefix);
  const shared = { redis, deadlineMs, ...(random ? { random } : {}) };
  const acrossSlots = !redis.sharded;
  const adjusting = createCoalescer({ ...shared, script: adjustScript });
  const taking = createCoalescer({ ...shared, script: takeScript, acrossSlots, compensate: release });
  const scriptTime = (): number => clock?.now() ?? -1;

  /** A slot whose caller has gone would be held for its whole lease. What was counted stays counted. */
  async function release(entry: Entry, reply: Reply): Promise<void> {
    const releases = slotsTaken(entry, reply);
    await Promise.all(releases.map(({ key, args }) => adjusting.run({ keys: [key], args: [scriptTime(), ...args] })));
  }

  function decide(asks: readonly Ask[], { spend, signal }: TakeOptions): Promise<Answer> {
    const entry = takeEntry(asks, { prefix, spend, nowMs: scriptTime() });
    return taking.run(entry, signal ? { signal } : undefined).then((reply) => readAnswer(reply, asks));
  }

  async function adjust(key: string, changes: readonly Change[]): Promise<readonly number[]> {
    const args = [scriptTime(), ...changes.flatMap(adjustArguments)];
    return readApplied(await adjusting.run({ keys: [prefix + key], args }), changes.length);
  }

  return {
    take(asks, takeOptions) {
      if (!redis.sharded || asks.length === 1) return decide(asks, takeOptions);
      const bySlot = Map.groupBy(asks, ({ key }) => slotOf(prefix + key));
      if (bySlot.size === 1) return decide(asks, takeOptions);
      return decideAcrossSlots(asks, [...bySlot.values()], { decide, adjust, takeOptions });
    },

    adjust,

    async mark(key, mark) {
      const what = mark.kind === "block" ? ["", 0, 0] : [mark.name, mark.limit, mark.refill];
      await redis.run(markScript, { keys: [prefix + key], args: [scriptTime(), mark.forMs, ...what] });
    },

    async reset(key, limits) {
      const args = limits ? [0, ...limits.map(({ field }) => field)] : [1];
      await redis.run(resetScript, { keys: [prefix + key], args });
    },

    async inspect(key) {
      const reply = await redis.read("HGETALL", [prefix + key]);
      return readSubject(reply, clock?.now() ?? readTime(await redis.read("TIME", [])));
    },
  };
}
