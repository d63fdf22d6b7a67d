import type { Clock } from "@sluice/core";

import type { Answer, RateLimitStore } from "../src/index.ts";

/** The three commands that a limiter needs which reads, decides and then writes. */
export interface Commands {
  get(key: string): Promise<string | null>;
  incr(key: string): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/**
 * The limiter that everybody writes first: GET, compare, INCR, EXPIRE. Everybody who reads before anybody has written
 * gets in, and every hit prolongs the window of all hits before it.
 */
export function getThenIncr(commands: Commands): RateLimitStore {
  async function take([ask]: Parameters<RateLimitStore["take"]>[0]): Promise<Answer> {
    if (!ask) throw new Error("There is no ask.");
    const { limit, perMs } = ask.limit;
    const count = Number((await commands.get(ask.key)) ?? 0);
    const allowed = count < limit;
    if (allowed) {
      await commands.incr(ask.key);
      await commands.expire(ask.key, perMs / 1000);
    }
    const waitMs = allowed ? 0 : perMs;
    const remaining = Math.max(0, limit - count - 1);
    return { allowed, atMs: 0, blockedMs: 0, limits: [{ limit, remaining, waitMs, nextMs: waitMs, stamp: 0 }] };
  }
  return { take, adjust: unsupported, mark: unsupported, reset: unsupported, inspect: unsupported };
}

function unsupported(): never {
  throw new Error("This limiter only takes.");
}

/** As much of a Redis as that limiter needs, on a clock that a test holds. */
export function commandsOn(clock: Pick<Clock, "now">): Commands {
  const counters = new Map<string, { count: number; untilMs: number }>();
  const live = (key: string) => {
    const counter = counters.get(key);
    return counter && clock.now() < counter.untilMs ? counter : undefined;
  };
  return {
    get: (key) => Promise.resolve(live(key)?.count.toString() ?? null),
    incr(key) {
      const count = (live(key)?.count ?? 0) + 1;
      counters.set(key, { count, untilMs: live(key)?.untilMs ?? Infinity });
      return Promise.resolve(count);
    },
    expire(key, seconds) {
      const counter = live(key);
      if (counter) counter.untilMs = clock.now() + seconds * 1000;
      return Promise.resolve(counter ? 1 : 0);
    },
  };
}
