import type { Clock, Timer } from "@sluice/core";
import type { Doubt, Redis, Subscription } from "@sluice/redis";

import type { LockWatch } from "../store.ts";

// A lock that one waits for is soon waited for again; subscribing anew costs a round trip each time.
const lingerMs = 1000;

/** Who waits for which keys, and one subscription per key for all of them. */
export class FreedKeys {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #channels = new Map<string, Channel>();

  constructor(redis: Redis, clock: Clock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  watch(keys: readonly string[], sinceMs: number, onFree: () => void): LockWatch {
    const channels = keys.map((key) => this.#channel(key));
    for (const channel of channels) channel.add(onFree, sinceMs);
    return {
      close: () => {
        for (const channel of channels) channel.remove(onFree);
      },
    };
  }

  #channel(key: string): Channel {
    const known = this.#channels.get(key);
    if (known) return known;
    const channel = new Channel(this.#clock, () => this.#channels.delete(key));
    channel.open(this.#redis, key);
    this.#channels.set(key, channel);
    return channel;
  }
}

class Channel {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #onEnd: () => void;
  /** Since when every release has been heard. */
  #liveSinceMs = Infinity;
  #freedMs = -Infinity;
  #subscription: Promise<Subscription | undefined> | undefined;
  #linger: Timer | undefined;

  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  open(redis: Redis, key: string): void {
    this.#subscription = this.#subscribe(redis, key);
  }

  add(onFree: () => void, sinceMs: number): void {
    this.#linger?.cancel();
    this.#listeners.add(onFree);
    if (this.#liveSinceMs === Infinity) return;
    // Released after the refusal, or before anybody listened.
    if (this.#liveSinceMs > sinceMs || this.#freedMs >= sinceMs) onFree();
  }

  remove(onFree: () => void): void {
    this.#listeners.delete(onFree);
    if (this.#listeners.size > 0) return;
    this.#linger?.cancel();
    this.#linger = this.#clock.schedule(lingerMs, () => void this.#end(), { background: true });
  }

  async #subscribe(redis: Redis, key: string): Promise<Subscription | undefined> {
    try {
      const subscription = await redis.subscribe(
        key,
        () => this.#freed(),
        (doubt) => this.#doubt(doubt),
      );
      if (subscription.live) this.#live();
      return subscription;
    } catch {
      // The connection was closed: waiters go on asking, and hear from their own calls that it was.
      this.#onEnd();
      return undefined;
    }
  }

  #doubt(doubt: Doubt): void {
    if (doubt === "resubscribed") this.#live();
    else this.#liveSinceMs = Infinity;
  }

  #live(): void {
    this.#liveSinceMs = this.#clock.monotonic();
    this.#wake();
  }

  #freed(): void {
    this.#freedMs = this.#clock.monotonic();
    this.#wake();
  }

  #wake(): void {
    for (const onFree of this.#listeners) onFree();
  }

  async #end(): Promise<void> {
    this.#onEnd();
    const subscription = await this.#subscription;
    await subscription?.close();
  }
}
