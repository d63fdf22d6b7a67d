// One of several processes on one subject. The parent says by which policy and for how long to call, one call after the
// other, and is told when each call that was let through came back.
import { byKey, bucket, createRateLimiter } from "@sluice/rate-limit";
import { redisStore } from "@sluice/rate-limit/redis";
import { connectRedis } from "@sluice/redis/ioredis";

import { lease, tight, wide, type Order, type Report } from "./lease-orders.ts";

const [url = ""] = process.argv.slice(2);
const deadlineMs = 5000;
const redis = connectRedis({ url, role: "bench", deadlineMs });
const limiter = createRateLimiter({
  store: redisStore(redis, { deadlineMs }),
  policies: {
    lease: { limits: bucket(wide), lease },
    redis: bucket(wide),
    tight: { limits: bucket(tight), lease },
  },
  onStoreError: "deny",
});
const subject = byKey("one");
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function work({ policy, untilMs }: Order): Promise<Report> {
  let calls = 0;
  const passedAtMs: number[] = [];
  for (let nowMs = 0; nowMs < untilMs;) {
    const { allowed } = await limiter.consume(policy, subject);
    nowMs = performance.timeOrigin + performance.now();
    if (!allowed) await turn();
    else if (policy === "tight") passedAtMs.push(nowMs);
    else calls += 1;
  }
  return { calls, passedAtMs };
}

process.on("message", (order: Order) => void work(order).then((report) => process.send?.(report)));
process.on("disconnect", () => void redis.close());
await redis.read("PING", []);
process.send?.("ready");
