import {
  bucket,
  byUser,
  createRateLimiter,
  fixedWindow,
  memoryStore,
  slidingLog,
  strictWindow,
  window,
  type Limit,
} from "@sluice/rate-limit";
import { createFakeClock } from "@sluice/testing";
import { RateLimiterMemory } from "rate-limiter-flexible";

import { limit, per } from "./traces.ts";

/** One limiter of a comparison. */
export interface Measured {
  /** What it promises, where it can be asked. */
  readonly definition?: Limit;
  /** A fresh one: answers whether the next call passes. */
  readonly create: () => () => Promise<boolean>;
}

const clock = createFakeClock();
const wallOf = globalThis.Date.now;

/** What time it is, for ours and for peers that read `Date.now`. */
export const wallClock = {
  set(ms: number): void {
    clock.stepWall(ms - clock.now());
    globalThis.Date.now = () => ms;
  },
  restore(): void {
    globalThis.Date.now = wallOf;
  },
};

function ours(definition: Limit): Measured {
  function create() {
    // Denials are not remembered, as the clock of memories does not move here.
    const limiter = createRateLimiter({
      store: memoryStore({ clock }),
      clock,
      denyCache: 0,
      policies: { all: definition },
    });
    return async () => (await limiter.consume("all", byUser("42"))).allowed;
  }
  return { definition, create };
}

const flexible: Measured = {
  create() {
    const limiter = new RateLimiterMemory({ points: limit, duration: per / 1000 });
    return () =>
      limiter.consume("42").then(
        () => true,
        () => false,
      );
  },
};

/** Ours, and the peers. */
export const measuredAlgorithms: Readonly<Record<string, Measured>> = {
  window: ours(window({ limit, per })),
  "strict-window": ours(strictWindow({ limit, per })),
  "sliding-log": ours(slidingLog({ limit, per })),
  bucket: ours(bucket({ capacity: limit, refill: limit, every: per })),
  "fixed-window": ours(fixedWindow({ limit, per })),
  "rate-limiter-flexible": flexible,
};
