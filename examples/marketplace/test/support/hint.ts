import { createHash } from "node:crypto";

import { connectRedis } from "@sluice/redis/ioredis";

const source = "return redis.call('SET', KEYS[1], ARGV[1])";
const sha1 = createHash("sha1").update(source).digest("hex");

/** Writes nonsense where the counter of a product is. */
export async function setHint(url: string, product: string, hint: number): Promise<void> {
  await using redis = connectRedis(url);
  await redis.run({ name: "set", source, sha1, keys: 1 }, { keys: [`stock:${product}`], args: [hint] });
}
