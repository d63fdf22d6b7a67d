import type { Clock, Timer } from "@sluice/core";
import type { Doubt, Redis, Subscription } from "@sluice/redis";

import type { LockWatch } from "../store.ts";

// A lock that one waits for is soon waited for again; subscribing anew costs a round trip each time.
const lingerMs = 1000;
// And not soon enough for more of them than this.
const mostLingering = 1000;

/** Who waits for which keys, and one subscription per key for all of them. */
export class FreedKeys {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #channels = new Map<string, Channel>();
  /** Those that nobody listens to any more, the longest of all first. */
  readonly #lingering = new Set<Channel>();

  constructor(redis: Redis, clock: Clock) {
    this.#redis = redis;
    this.#clock = clock;
  }

  watch(keys: readonly string[], sinceMs: number, onFree: () => void): LockWatch {
    const channels = keys.map((key) => this.#channel(key));
    for (const channel of channels) {
      this.#lingering.delete(channel);
      channel.add(onFree, sinceMs);
    }
    return {
      close: () => {
        for (const channel of channels) if (channel.remove(onFree)) this.#linger(channel);
      },
    };
  }

  #linger(channel: Channel): void {
    this.#lingering.delete(channel);
    this.#lingering.add(channel);
    const [oldest] = this.#lingering;
    if (this.#lingering.size > mostLingering) oldest?.end();
  }

  #channel(key: string): Channel {
    const known = this.#channels.get(key);
    if (known) return known;
    const channel = new Channel(this.#clock, () => {
      if (this.#channels.get(key) === channel) this.#channels.delete(key);
      this.#lingering.delete(channel);
    });
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

  /** Whether nobody listens any more: it then ends in a while. */
  remove(onFree: () => void): boolean {
    this.#listeners.delete(onFree);
    if (this.#listeners.size > 0) return false;
    this.#linger?.cancel();
    this.#linger = this.#clock.schedule(lingerMs, () => this.end(), { background: true });
    return true;
  }

  end(): void {
    this.#linger?.cancel();
    this.#onEnd();
    void this.#unsubscribe();
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

  async #unsubscribe(): Promise<void> {
    const subscription = await this.#subscription;
    await subscription?.close();
  }
}
