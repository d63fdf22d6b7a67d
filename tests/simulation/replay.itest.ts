import { memoryStore } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { seededRandom, systemRandom } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";
import { testSeed } from "@sluice/testing";
import { service } from "@sluice/testing/vitest";
import { Redis as Ioredis } from "ioredis";
import { afterAll, describe, expect, it } from "vitest";

import { replay, type ReplayGround } from "./cache/replay.ts";
import { walk } from "./models/explore.ts";
import { chosen, type Size } from "./models/lease-design.ts";
import { leaseProtocol } from "./models/lease-protocol.ts";

const { url } = service("redis");
const redis = connectRedis({ url, deadlineMs: 5000 });
const admin = new Ioredis(url);
afterAll(async () => {
  admin.disconnect();
  await redis.close();
});

const size: Size = { getters: [0, 0, 1, 2], writers: ["flush", "drop", "flush"], evictions: 2 };
const walks = 150;

async function remove(key: string): Promise<void> {
  await admin.del(key);
}

/** Ways through the model, from the seed of this run. */
async function replayAll(of: Size, groundOf: (index: number) => ReplayGround): Promise<number> {
  const random = seededRandom(testSeed());
  let steps = 0;
  for (let index = 0; index < walks; index += 1) {
    const way = walk(leaseProtocol(chosen, of), (below) => random.integer(0, below));
    steps += way.length;
    await replay(groundOf(index), way);
  }
  return steps;
}

describe("what the model's server answers", () => {
  it("is what Redis answers with the real scripts", async () => {
    const run = Buffer.from(systemRandom.bytes(6)).toString("hex");
    const store = redisStore(redis, { deadlineMs: 5000 });
    const steps = await replayAll(size, (index) => ({ store, prefix: `replay:${run}:${index}`, evict: remove }));
    expect(steps).toBeGreaterThan(walks * 10);
  });

  it("is what the store in memory answers", async () => {
    const none = { ...size, evictions: 0 };
    const steps = await replayAll(none, () => ({ store: memoryStore(), prefix: "replay", evict: remove }));
    expect(steps).toBeGreaterThan(walks * 10);
  });
});
