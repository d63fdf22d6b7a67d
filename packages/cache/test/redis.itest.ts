import { sleep, systemClock, systemRandom } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { runLaws, service } from "@sluice/testing/vitest";
import { afterAll } from "vitest";

import { redisStore } from "../src/redis/index.ts";
import { cacheStoreLaws } from "../src/testing/index.ts";

const redis = connectRedis({ url: service("redis").url, deadlineMs: 5000 });
afterAll(() => redis.close());

runLaws("a cache store in Redis", cacheStoreLaws, () => ({
  store: redisStore(redis, { deadlineMs: 5000 }),
  prefix: `law:${Buffer.from(systemRandom.bytes(6)).toString("hex")}`,
  pass: (ms: number) => sleep(systemClock, ms),
}));
