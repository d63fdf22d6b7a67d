import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { connectRedis } from "@sluice/redis/ioredis";
import { service } from "@sluice/testing/vitest";
import { afterAll, describe, expect, it } from "vitest";

import {
  bucket,
  byUser,
  concurrency,
  createRateLimiter,
  fixedWindow,
  slidingLog,
  strictWindow,
  window,
} from "../src/index.ts";
import { redisStore } from "../src/redis.ts";

const redis = connectRedis({ url: service("redis").url, role: "rate-limit-races", deadlineMs: 10_000 });
afterAll(() => redis.close());

const policies = {
  window: window({ limit: 100, per: "1h" }),
  strict: strictWindow({ limit: 100, per: "1h" }),
  fixed: fixedWindow({ limit: 100, per: "1h" }),
  log: slidingLog({ limit: 100, per: "1h" }),
  bucket: bucket({ capacity: 100, refill: 1, every: "1d" }),
  slots: concurrency({ limit: 100, lease: "1h" }),
  pair: [window({ name: "short", limit: 100, per: "1h" }), window({ name: "long", limit: 500, per: "1d" })],
} as const;
const names = Object.keys(policies) as (keyof typeof policies)[];

function limiter() {
  return createRateLimiter({
    store: redisStore(redis, { deadlineMs: 10_000 }),
    policies,
    denyCache: 0,
    onStoreError: "deny",
  });
}

describe("callers on one subject", () => {
  it.each([1, 2, 63, 64, 127, 128, 129])(
    "admit exactly 100 when 64 callers race for 100 places, %i calls in a turn",
    async (turn) => {
      const racing = limiter();
      // Every kind in full batches, the usual ones in all others.
      for (const policy of turn === 64 ? names : (["window", "bucket", "log"] as const)) {
        const user = byUser(randomUUID());
        let passed = 0;
        for (let calls = 0; calls < 200; calls += turn) {
          const decisions = await Promise.all(Array.from({ length: turn }, () => racing.consume(policy, user)));
          passed += decisions.filter(({ allowed }) => allowed).length;
        }
        expect([policy, passed]).toEqual([policy, 100]);
      }
    },
  );

  it("get what their own place in the queue gives them, and no two the same", async () => {
    const racing = limiter();
    const user = byUser(randomUUID());
    const decisions = await Promise.all(Array.from({ length: 128 }, () => racing.consume("window", user)));
    const remaining = decisions.map(({ limits }) => limits[0]?.remaining);
    expect(remaining.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, index) => 99 - index));
    expect(remaining.slice(100)).toEqual(Array.from({ length: 28 }, () => 0));
  });

  it("admit exactly 100 from four processes with 500 calls each", { timeout: 60_000 }, async () => {
    const id = randomUUID();
    const children = Array.from({ length: 4 }, () =>
      fork(new URL("fixtures/caller.ts", import.meta.url), [service("redis").url, id], {
        execArgv: ["--conditions=sluice-source"],
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
    await Promise.all(children.map((child) => once(child, "message")));
    const results = Promise.all(children.map(async (child) => (await once(child, "message")) as [number]));
    for (const child of children) child.send("go");
    const passed = (await results).map(([count]) => count);
    expect(passed.reduce((sum, count) => sum + count, 0)).toBe(100);
    for (const child of children) if (child.exitCode === null) await once(child, "exit");
  });
});
