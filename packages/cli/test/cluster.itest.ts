import { createCache, paramsKey } from "@sluice/cache";
import { redisStore } from "@sluice/cache/redis";
import { connectRedis } from "@sluice/redis/ioredis";
import { startRedisCluster } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";
import { expect, it, onTestFinished } from "vitest";

import { sluice } from "./session.ts";

describeNeeding({ redis: "real" }, "sluice cache on a Cluster", () => {
  it("counts, flushes and reclaims on all masters", { timeout: 60_000 }, async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const url = `redis+cluster://${cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
    const told = (line: string) => sluice(`cache ${line} --redis ${url}`);
    const redis = connectRedis({ url, deadlineMs: 5000 });
    onTestFinished(() => redis.close());
    const cache = createCache({ store: redisStore(redis, { deadlineMs: 5000 }) });
    onTestFinished(() => cache.close());
    const feed = cache.scope<{ city: number }, number>("feed", {
      prefix: "v1:feed",
      key: paramsKey(),
      ttl: "1h",
      load: ({ city }) => city,
    });
    const cities = Array.from({ length: 60 }, (_, city) => city);
    // A Cluster that is not ready yet is loaded around.
    await expect
      .poll(async () => {
        await Promise.all(cities.map((city) => feed.get({ city })));
        return (await told("stats v1:feed:")).out;
      })
      .toMatch(/^feed\n {2}feed: 60 fresh, 0 stale, 0 ended, \d+ bytes$/);
    const masters = await Promise.all(
      cluster.nodes
        .map(({ port }) => connectRedis(`redis://127.0.0.1:${port}`))
        .map(async (node) => {
          await using _ = node;
          const [, keys] = (await node.read("SCAN", ["0", "MATCH", "v1:feed:*", "COUNT", 1000])) as [string, string[]];
          return keys.length;
        }),
    );
    expect(masters.filter((count) => count > 0).length).toBeGreaterThan(1);
    expect((await told("flush v1:feed:")).code).toBe(0);
    expect((await told("inspect v1:feed:city=1")).out).toContain("ended by a flush");
    expect((await told("reclaim v1:feed:")).out).toMatch(/^feed: 60 of 60 records removed, \d+ bytes.$/);
  });
});
