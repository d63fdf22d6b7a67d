import { systemRandom } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { runLaws, service } from "@sluice/testing/vitest";

import { lockLaws } from "../src/index.ts";
import { redisStore } from "../src/redis.ts";
import { until } from "./until.ts";

runLaws("locks in Redis", lockLaws, () => {
  const redis = connectRedis(service("redis").url);
  // The server is shared with other tests, and with other laws.
  const prefix = `lock:${Buffer.from(systemRandom.bytes(9)).toString("base64url")}:`;
  return {
    store: redisStore(redis, { prefix }),
    eventually: until,
    [Symbol.asyncDispose]: () => redis.close(),
  };
});
