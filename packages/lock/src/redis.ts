import { systemClock, type Clock } from "@sluice/core";
import { createCoalescer, slotOf, type Coalescer, type Redis, type Reply, type Script } from "@sluice/redis";

import { FreedKeys } from "./redis/freed-keys.ts";
import { acquireScript, extendScript, releaseScript } from "./redis/scripts.generated.ts";
import type { LockAnswer, LockOwner, LockRequest, LockStore, LockWatch } from "./store.ts";

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** Put before every key; the key names the channel too. Default `lock:`. */
  readonly prefix?: string;
  /** Longest wait for an answer in ms. Default 250. */
  readonly deadlineMs?: number;
  /** Default: the clock of this machine. It measures no lease: those are the server's. */
  readonly clock?: Clock;
}

/**
 * Locks of all processes that share a Redis. Acquiring, extending and releasing are one round trip each, and one
 * command for all that happens in the same turn. In a Cluster, keys of several hash slots are taken one after the other,
 * in their order, and given back when one is busy.
 *
 * A failover of Redis can lose locks that were just granted, and then two holders believe in theirs: use it for what a
 * fence, a row lock or a constraint decides in the end.
 */
export function redisStore(redis: Redis, options: RedisStoreOptions = {}): LockStore {
  return new RedisLocks(redis, options);
}

class RedisLocks implements LockStore {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #acquire: Coalescer;
  readonly #extend: Coalescer;
  readonly #release: Coalescer;
  readonly #freed: FreedKeys;

  constructor(redis: Redis, { prefix = "lock:", deadlineMs = 250, clock = systemClock }: RedisStoreOptions) {
    this.#redis = redis;
    this.#prefix = prefix;
    const coalescer = (script: Script): Coalescer =>
      createCoalescer({ redis, script, deadlineMs, clock, acrossSlots: true });
    this.#extend = coalescer(extendScript);
    this.#release = coalescer(releaseScript);
    this.#acquire = createCoalescer({
      redis,
      script: acquireScript,
      deadlineMs,
      clock,
      acrossSlots: true,
      // Nobody waits for this grant any more.
      compensate: async ({ keys, args: [owner = ""] }) => void (await this.#release.run({ keys, args: [owner] })),
    });
    this.#freed = new FreedKeys(redis, clock);
  }

  async acquire({ keys, owner, leaseMs }: LockRequest, signal?: AbortSignal): Promise<LockAnswer> {
    const taken: (readonly string[])[] = [];
    const options = signal ? { signal } : undefined;
    for (const group of this.#groups(keys)) {
      const freeInMs = Number(await this.#acquire.run({ keys: group, args: [owner, leaseMs] }, options));
      if (freeInMs > 0) {
        await this.#freeAll(taken, owner);
        return { granted: false, freeInMs };
      }
      taken.push(group);
    }
    return granted;
  }

  async extend({ keys, owner, leaseMs }: LockRequest): Promise<boolean> {
    for (const group of this.#groups(keys)) {
      const extended = await this.#extend.run({ keys: group, args: [owner, leaseMs] });
      if (extended !== 1) return false;
    }
    return true;
  }

  async release({ keys, owner }: LockOwner): Promise<boolean> {
    const groups = this.#groups(keys);
    const [only] = groups;
    const isOne = groups.length === 1 && only;
    return Number(await (isOne ? this.#free(only, owner) : this.#freeAll(groups, owner))) > 0;
  }

  watch(keys: readonly string[], sinceMs: number, onFree: () => void): LockWatch {
    return this.#freed.watch(this.#named(keys), sinceMs, onFree);
  }

  async #freeAll(groups: readonly (readonly string[])[], owner: string): Promise<number> {
    const freed = await Promise.all(groups.map((keys) => this.#free(keys, owner)));
    return freed.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  #free(keys: readonly string[], owner: string): Promise<Reply> {
    return this.#release.run({ keys, args: [owner] });
  }

  /** What one script can take at once: all keys, or in a Cluster a run of keys that share a slot. */
  #groups(keys: readonly string[]): readonly (readonly string[])[] {
    const names = this.#named(keys);
    if (!this.#redis.sharded || names.length === 1) return [names];
    const groups: string[][] = [];
    let slot: number | undefined;
    for (const name of names) {
      const next = slotOf(name);
      if (next === slot) groups.at(-1)?.push(name);
      else groups.push([name]);
      slot = next;
    }
    return groups;
  }

  #named(keys: readonly string[]): readonly string[] {
    return keys.map((key) => this.#prefix + key);
  }
}

const granted: LockAnswer = { granted: true };
