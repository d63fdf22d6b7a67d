import type { Clock, Random, Timer } from "@sluice/core";
import type { Doubt, Subscription } from "@sluice/redis";

import { Lane, type Weather } from "./network.ts";
import type { SimServer } from "./server.ts";

/** What a subscription is made of. */
export interface SimSubscriptionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: SimServer;
  readonly heartbeatMs: number;
  readonly channel: string;
  readonly onMessage: (message: string) => void;
  readonly onDoubt: (doubt: Doubt) => void;
  readonly weather: () => Weather;
}

/** One connection that listens, from its subscription to its end. */
interface Session {
  readonly back: Lane;
  readonly stop: () => void;
  isSilent: boolean;
  provenMs: number;
}

const reconnectMs = 50;

/** A subscription with heartbeats on its own connection, which is replaced when it ends, as that of the real port is. */
export class SimSubscription implements Subscription {
  readonly opened: Promise<void>;
  readonly #options: SimSubscriptionOptions;
  readonly #onClose: () => void;
  #session: Session | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: SimSubscriptionOptions, onClose: () => void) {
    this.#options = options;
    this.#onClose = onClose;
    this.opened = new Promise((resolve) => this.#open(resolve));
  }

  get live(): boolean {
    return this.#session !== undefined;
  }

  get deliveredUpToMs(): number {
    return this.#session?.provenMs ?? Number.NEGATIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end();
    this.#onClose();
  }

  /** The connection ends, and this end hears of it. */
  lose(): void {
    if (!this.#session) return;
    this.#end();
    this.#options.onDoubt("connection-lost");
    this.#timer = this.#options.clock.schedule(reconnectMs, () =>
      this.#open(() => this.#options.onDoubt("resubscribed")),
    );
  }

  /** Nothing arrives any more, and nobody says so: heartbeats find out. */
  fallSilent(): void {
    if (!this.#session) return;
    this.#session.isSilent = true;
    this.#session.back.cut();
    this.#session.stop();
  }

  #open(onLive: () => void): void {
    if (this.#isClosed) return;
    const { clock, random, server, channel, onMessage, weather } = this.#options;
    const there = new Lane(clock, random);
    const back = new Lane(clock, random);
    const askedMs = clock.monotonic();
    there.send(weather(), () => {
      const stop = server.listen((on, message) => {
        if (on === channel) back.send(weather(), () => onMessage(Buffer.from(message, "latin1").toString()));
      });
      const session: Session = { back, stop, isSilent: false, provenMs: askedMs };
      back.send(weather(), () => {
        if (this.#isClosed) return stop();
        this.#session = session;
        onLive();
        this.#beat(session, there);
      });
    });
  }

  #beat(session: Session, there: Lane): void {
    const { clock, heartbeatMs, weather } = this.#options;
    const askedMs = clock.monotonic();
    if (!session.isSilent) {
      there.send(weather(), () =>
        session.back.send(weather(), () => {
          session.provenMs = askedMs;
        }),
      );
    }
    this.#timer = clock.schedule(heartbeatMs, () => {
      if (session !== this.#session) return;
      if (session.provenMs < askedMs) this.lose();
      else this.#beat(session, there);
    });
  }

  #end(): void {
    this.#timer?.cancel();
    this.#session?.stop();
    this.#session?.back.cut();
    this.#session = undefined;
  }
}
