import { sleep, type Clock } from "@sluice/core";

import type { RedisDriver, SubscriberLink } from "./driver.ts";

/** One connection that listens, from its opening to its end. */
export interface Session {
  readonly link: SubscriberLink;
  /** When the last answered heartbeat was sent: everything before has been delivered. -Infinity before the first. */
  readonly provenMs: number;
  /** Why it ended. Never rejects. */
  readonly ended: Promise<"connection-lost" | "silence">;
  close(): void;
}

/** What {@link openSession} needs to know. */
export interface SessionOptions {
  readonly driver: RedisDriver;
  readonly clock: Clock;
  readonly heartbeatMs: number;
}

const openingMs = 2000;

/**
 * Opens a listening connection and keeps asking whether it is alive. Redis sends nothing to a subscriber that has
 * nothing to hear, so without that a connection that was cut silently would look healthy for hours.
 */
export async function openSession(
  { driver, clock, heartbeatMs }: SessionOptions,
  onMessage: (channel: string, message: string) => void,
): Promise<Session> {
  const over = new AbortController();
  let provenMs = -Infinity;
  const ended = new Promise<"connection-lost" | "silence">((resolve) => {
    over.signal.addEventListener("abort", () => resolve(over.signal.reason as "connection-lost" | "silence"));
  });
  const opening = driver.openSubscriber({
    // A link that was given up may still deliver: clients close a socket politely, and the server may wake up.
    message: (channel, message) => (over.signal.aborted ? undefined : onMessage(channel, message)),
    closed: () => finish("connection-lost"),
  });
  const link = await within(opening, { clock, ms: openingMs, onLate: (late) => late.close() });

  function finish(reason: "connection-lost" | "silence"): void {
    over.abort(reason);
  }

  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      const askedMs = clock.monotonic();
      await within(link.ping(), { clock, ms: heartbeatMs });
      provenMs = askedMs;
      await sleep(clock, heartbeatMs, over.signal);
    }
  }

  beat().catch(() => {
    // Either the answer did not come, or the link has ended and said so already.
    finish("silence");
    link.close();
  });

  return {
    link,
    get provenMs() {
      return provenMs;
    },
    ended,
    close() {
      finish("connection-lost");
      link.close();
    },
  };
}

interface Within<T> {
  readonly clock: Clock;
  readonly ms: number;
  readonly onLate?: (value: T) => void;
}

function within<T>(work: Promise<T>, { clock, ms, onLate }: Within<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = clock.schedule(ms, () => {
      isLate = true;
      reject(new Error(`nothing within ${ms} ms`));
    });
    const settle = (value: T): void => {
      timer.cancel();
      if (isLate) onLate?.(value);
      else resolve(value);
    };
    const fail = (error: Error): void => {
      timer.cancel();
      reject(error);
    };
    work.then(settle, fail);
  });
}
