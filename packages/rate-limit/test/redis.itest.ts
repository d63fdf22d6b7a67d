import { randomUUID } from "node:crypto";

import { connectRedis } from "@sluice/redis/ioredis";
import { service, runLaws } from "@sluice/testing/vitest";
import { afterAll } from "vitest";

import { storeLaws } from "../src/laws/index.ts";
import { redisStore } from "../src/redis.ts";

const redis = connectRedis({ url: service("redis").url, role: "rate-limit", deadlineMs: 10_000 });
afterAll(() => redis.close());

runLaws("a store in Redis", storeLaws, ({ clock }) =>
  redisStore(redis, { clock, prefix: `${randomUUID()}:`, deadlineMs: 10_000 }),
);
