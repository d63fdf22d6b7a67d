import type { Doubt } from "./port.ts";
import type { Session } from "./subscriber-session.ts";

/** The two callbacks of a subscription. */
export interface SubscriptionListener {
  onMessage(message: string): void;
  onDoubt(doubt: Doubt): void;
}

/** One subscription, and how far it has come. */
export interface Interest {
  readonly channel: string;
  readonly listener: SubscriptionListener;
  /** The session that has confirmed the channel. */
  session: Session | undefined;
  confirmedMs: number;
  deliveredUpToMs: number;
  wasDoubtful: boolean;
  onLive: (() => void) | undefined;
}

/** Who wants to hear what. A message is told to those of its channel, however many channels there are. */
export class Interests implements Iterable<Interest> {
  readonly #byChannel = new Map<string, Set<Interest>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A new interest in a channel. */
  add(channel: string, listener: SubscriptionListener): Interest {
    const never = { session: undefined, confirmedMs: 0, deliveredUpToMs: -Infinity, onLive: undefined };
    const interest: Interest = { channel, listener, wasDoubtful: false, ...never };
    const others = this.#byChannel.get(channel);
    if (others) others.add(interest);
    else this.#byChannel.set(channel, new Set([interest]));
    this.#size += 1;
    return interest;
  }

  has(interest: Interest): boolean {
    return this.#byChannel.get(interest.channel)?.has(interest) ?? false;
  }

  /** Whether anybody wants to hear of a channel. */
  hasAny(channel: string): boolean {
    return this.#byChannel.has(channel);
  }

  /** @returns whether it was there. */
  delete(interest: Interest): boolean {
    const shared = this.#byChannel.get(interest.channel);
    if (!shared?.delete(interest)) return false;
    this.#size -= 1;
    if (shared.size === 0) this.#byChannel.delete(interest.channel);
    return true;
  }

  clear(): void {
    this.#byChannel.clear();
    this.#size = 0;
  }

  /** Those in one channel; they may come and go meanwhile. */
  in(channel: string): Iterable<Interest> {
    return this.#byChannel.get(channel) ?? [];
  }

  *[Symbol.iterator](): Iterator<Interest> {
    for (const shared of this.#byChannel.values()) yield* shared;
  }
}
