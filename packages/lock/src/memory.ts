import { systemClock, type Clock } from "@sluice/core";

import type { LockAnswer, LockOwner, LockRequest, LockStore, LockWatch } from "./store.ts";

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
}

interface Held {
  readonly owner: string;
  readonly untilMs: number;
}

/** Locks of a single process. Nothing outlives the process, and O(1) per key. */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): LockStore {
  return new MemoryLocks(clock);
}

const fewLocks = 1024;

class MemoryLocks implements LockStore {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #sweepAt = fewLocks;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire({ keys, owner, leaseMs }: LockRequest): Promise<LockAnswer> {
    const nowMs = this.#clock.monotonic();
    const inTheWay = keys.flatMap((key) => {
      const held = this.#heldAt(key, nowMs);
      return held && held.owner !== owner ? [held.untilMs] : [];
    });
    if (inTheWay.length > 0) {
      return Promise.resolve({ granted: false, freeInMs: Math.max(...inTheWay) - nowMs });
    }
    for (const key of keys) this.#held.set(key, { owner, untilMs: nowMs + leaseMs });
    this.#sweep(nowMs);
    return Promise.resolve({ granted: true });
  }

  extend({ keys, owner, leaseMs }: LockRequest): Promise<boolean> {
    const nowMs = this.#clock.monotonic();
    if (!keys.every((key) => this.#heldAt(key, nowMs)?.owner === owner)) return Promise.resolve(false);
    for (const key of keys) this.#held.set(key, { owner, untilMs: nowMs + leaseMs });
    return Promise.resolve(true);
  }

  release({ keys, owner }: LockOwner): Promise<boolean> {
    const nowMs = this.#clock.monotonic();
    const own = keys.filter((key) => this.#heldAt(key, nowMs)?.owner === owner);
    for (const key of own) this.#held.delete(key);
    for (const key of own) for (const onFree of this.#watchers.get(key) ?? []) onFree();
    return Promise.resolve(own.length > 0);
  }

  watch(keys: readonly string[], _sinceMs: number, onFree: () => void): LockWatch {
    for (const key of keys) {
      const watchers = this.#watchers.get(key);
      if (watchers) watchers.add(onFree);
      else this.#watchers.set(key, new Set([onFree]));
    }
    // Nothing tells what was let go of before now.
    onFree();
    return { close: () => this.#unwatch(keys, onFree) };
  }

  #unwatch(keys: readonly string[], onFree: () => void): void {
    for (const key of keys) {
      const watchers = this.#watchers.get(key);
      watchers?.delete(onFree);
      if (watchers?.size === 0) this.#watchers.delete(key);
    }
  }

  #heldAt(key: string, nowMs: number): Held | undefined {
    const held = this.#held.get(key);
    return held && held.untilMs > nowMs ? held : undefined;
  }

  // A holder that never lets go leaves an entry behind. Looking at all of them each time their number has doubled
  // costs O(1) per acquisition.
  #sweep(nowMs: number): void {
    if (this.#held.size < this.#sweepAt) return;
    for (const [key, { untilMs }] of this.#held) if (untilMs <= nowMs) this.#held.delete(key);
    this.#sweepAt = Math.max(fewLocks, this.#held.size * 2);
  }
}
