import { sleep, type Clock } from "@sluice/core";

import type { RedisDriver } from "./driver.ts";
import { RedisUnavailableError } from "./errors.ts";
import { redisEvents } from "./events.ts";
import { Interests, type Interest, type SubscriptionListener } from "./interests.ts";
import type { Doubt, Subscription } from "./port.ts";
import { openSession, type Session } from "./subscriber-session.ts";

/** What {@link Subscriptions} needs to know. */
export interface SubscriptionsOptions {
  readonly driver: RedisDriver;
  readonly clock: Clock;
  readonly role: string;
  readonly deadlineMs: number;
  readonly heartbeatMs: number;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;

/** All subscriptions of one port, on one connection that is replaced whenever it ends. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #interests = new Interests();
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #keeping: Promise<void> | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Resolves when the channel is live, or when the deadline has passed without that. */
  async subscribe(channel: string, listener: SubscriptionListener): Promise<Subscription> {
    if (this.#closing.signal.aborted) {
      throw new RedisUnavailableError("closed", "the connection was closed by its owner");
    }
    const interest = this.#interests.add(channel, listener);
    const live = new Promise<void>((resolve) => (interest.onLive = resolve));
    if (this.#session) void this.#confirm(interest, this.#session);
    this.#keep();
    const waiting = new AbortController();
    await Promise.race([live, sleep(this.#options.clock, this.#options.deadlineMs, waiting.signal).catch(() => {})]);
    waiting.abort();
    if (!interest.session && this.#interests.has(interest)) this.#doubt(interest, "unavailable");
    return this.#subscriptionOf(interest);
  }

  /** Ends every subscription. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#interests.clear();
    this.#session?.close();
    await this.#keeping;
  }

  #subscriptionOf(interest: Interest): Subscription {
    const isLive = (): boolean => this.#isLive(interest);
    const deliveredUpTo = (): number => this.#deliveredUpTo(interest);
    return {
      get live() {
        return isLive();
      },
      get deliveredUpToMs() {
        return deliveredUpTo();
      },
      close: async () => {
        if (!this.#interests.delete(interest)) return;
        if (this.#interests.size === 0) this.#session?.close();
        else if (!this.#interests.hasAny(interest.channel))
          await this.#session?.link.unsubscribe(interest.channel).catch(() => {});
      },
    };
  }

  #isLive({ session }: Interest): boolean {
    return session !== undefined && session === this.#session;
  }

  #deliveredUpTo(interest: Interest): number {
    if (this.#isLive(interest)) {
      interest.deliveredUpToMs = Math.max(interest.confirmedMs, interest.session?.provenMs ?? -Infinity);
    }
    return interest.deliveredUpToMs;
  }

  #isWanted(): boolean {
    return this.#interests.size > 0 && !this.#closing.signal.aborted;
  }

  #keep(): void {
    this.#keeping ??= this.#keepSessions().finally(() => {
      this.#keeping = undefined;
      // Somebody may have come while it was ending.
      if (this.#isWanted()) this.#keep();
    });
  }

  /** Runs while anybody listens: opens a session, waits for its end, opens another. */
  async #keepSessions(): Promise<void> {
    for (let pauseMs = firstPauseMs; this.#isWanted(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const session = await openSession(this.#options, (...message) => this.#deliver(...message)).catch(
        () => undefined,
      );
      if (session) {
        pauseMs = firstPauseMs;
        await this.#live(session);
      }
      if (this.#isWanted()) await sleep(this.#options.clock, pauseMs, this.#closing.signal).catch(() => {});
    }
  }

  /** From the opening of a session to its end. */
  async #live(session: Session): Promise<void> {
    this.#session = session;
    for (const interest of this.#interests) void this.#confirm(interest, session);
    if (!this.#isWanted()) session.close();
    const reason = await session.ended;
    for (const interest of this.#interests) this.#deliveredUpTo(interest);
    this.#session = undefined;
    for (const interest of this.#interests) this.#doubt(interest, reason);
  }

  async #confirm(interest: Interest, session: Session): Promise<void> {
    const askedMs = this.#options.clock.monotonic();
    try {
      await session.link.subscribe(interest.channel);
    } catch {
      // The session ends with its link; a refusal by the server is no better.
      session.close();
      return;
    }
    if (session !== this.#session || !this.#interests.has(interest)) return;
    interest.confirmedMs = askedMs;
    interest.session = session;
    interest.onLive?.();
    if (interest.wasDoubtful) this.#doubt(interest, "resubscribed");
  }

  #deliver(channel: string, message: string): void {
    for (const { listener } of this.#interests.in(channel)) {
      guarded(() => listener.onMessage(message));
    }
  }

  #doubt(interest: Interest, doubt: Doubt): void {
    interest.wasDoubtful = doubt !== "resubscribed";
    const { role } = this.#options;
    redisEvents.publish({ type: "subscription-doubt", role, channel: interest.channel, doubt });
    guarded(() => interest.listener.onDoubt(doubt));
  }
}

/** What a listener throws must not end the connection: it is reported as an uncaught exception, like an event's. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
