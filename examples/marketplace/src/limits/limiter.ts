import { bucket, createRateLimiter, window, type RateLimiter } from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";
import { connectRedis } from "@sluice/redis/ioredis";

import type { Tier } from "./tiers.ts";

/** The limits by name: the tiers, and what every address may do at all. */
export type PolicyName = Tier | "address";

/** What decides about requests, and what it runs on. */
export interface Limits extends AsyncDisposable {
  readonly limiter: RateLimiter<PolicyName>;
}

/** How limits are counted. */
export interface LimitsOptions {
  /** Undefined: in this process. */
  readonly redisUrl: string | undefined;
  readonly isEnabled: boolean;
}

/** Counts in Redis, or in this process where there is none. */
export function createLimits({ redisUrl, isEnabled }: LimitsOptions): Limits {
  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, role: "rate-limit" });
  const limiter = createRateLimiter<PolicyName>({
    ...(redis && { store: redisStore(redis) }),
    mode: isEnabled ? "enforce" : "off",
    policies: {
      address: window({ limit: 1000, per: "1m" }),
      // Who guesses passwords must not profit from an outage: each process then counts by itself.
      auth: {
        limits: [
          window({ name: "auth-min", limit: 10, per: "1m" }),
          window({ name: "auth-hour", limit: 30, per: "1h" }),
        ],
        onStoreError: "local",
      },
      browse: window({ limit: 120, per: "1m" }),
      write: window({ limit: 60, per: "1m" }),
      flash: bucket({ capacity: 10, refill: 1, every: "6s" }),
    },
  });
  return {
    limiter,
    async [Symbol.asyncDispose]() {
      await limiter.close();
      await redis?.close();
    },
  };
}
