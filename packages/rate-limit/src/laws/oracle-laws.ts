import assert from "node:assert/strict";

import type { Random } from "@sluice/core";

import { bucket, concurrency, fixedWindow, slidingLog, strictWindow, window, type Limit } from "../limit.ts";
import type { RateLimitStore } from "../store.ts";
import { first, limitOf, take, type StoreLaw, type StoreLawContext } from "./law.ts";
import { createOracle, type Hit } from "./oracle.ts";

type Make = (random: Random, name: string) => Limit;

const size = (random: Random): { limit: number; per: number } => ({
  limit: random.integer(1, 12),
  per: random.integer(1, 60),
});

const made: Readonly<Record<string, Make>> = {
  "a weighted window": (random, name) => window({ name, ...size(random) }),
  "a strict window": (random, name) => strictWindow({ name, ...size(random), parts: random.integer(1, 14) }),
  "a fixed window": (random, name) => fixedWindow({ name, ...size(random) }),
  "a sliding log": (random, name) => slidingLog({ name, ...size(random) }),
  "a bucket": (random, name) =>
    bucket({
      name,
      capacity: random.integer(1, 12),
      refill: random.integer(1, 5),
      every: random.integer(1, 60),
    }),
  "a limit on concurrency": (random, name) => {
    const { limit, per } = size(random);
    return concurrency({ name, limit, lease: per });
  },
};

const traces = 8;
const callsPerTrace = 40;

/** Everything that a store answers over random histories is what the definition says. */
export const oracleLaws: readonly StoreLaw[] = Object.entries(made).map(([what, make]) => ({
  title: `${what} answers what its definition does, to the millisecond`,
  async check(store, context) {
    for (let trace = 0; trace < traces; trace += 1) {
      const hits = await follow(store, make(context.random, `trace-${trace}`), context);
      assert.ok(hits.length > 0, "something was let through");
    }
  },
}));

/** No span of the window's length holds more than the limit, whatever its edges. */
export const strictLaws: readonly StoreLaw[] = [
  {
    title: "a strict window lets no more than its limit through in any span, wherever it begins",
    async check(store, context) {
      for (let trace = 0; trace < traces; trace += 1) {
        const limit = strictWindow({
          name: `span-${trace}`,
          ...size(context.random),
          parts: context.random.integer(1, 9),
        });
        assertSpans(await follow(store, limit, context), limit, "closed");
      }
    },
  },
  {
    title: "a sliding log lets no more than its limit through in any span, and all of it",
    async check(store, context) {
      for (let trace = 0; trace < traces; trace += 1) {
        const limit = slidingLog({ name: `log-${trace}`, ...size(context.random) });
        assertSpans(await follow(store, limit, context), limit, "half-open");
      }
    },
  },
];

/** Calls at random moments, each compared with the oracle. Returns what was let through. */
async function follow(store: RateLimitStore, limit: Limit, context: StoreLawContext): Promise<readonly Hit[]> {
  const { clock, random } = context;
  const oracle = createOracle(limit);
  for (let call = 0; call < callsPerTrace; call += 1) {
    // Bursts, steps within the window, edges of it, and pauses.
    clock.stepWall(random.integer(0, 3) === 0 ? random.integer(0, limit.perMs * 2 + 1) : random.integer(0, 3));
    const nowMs = clock.now();
    const cost = random.integer(0, 4) === 0 ? random.integer(1, limit.limit + 2) : 1;
    const waitMs = oracle.waitMs(nowMs, cost);
    const token = limit.kind === "concurrency" ? `token${String(call).padStart(7, "0")}` : undefined;
    const hit = random.integer(0, 2) === 0 ? store.hit?.("followed", limitOf(limit), cost) : undefined;
    if (hit) {
      assert.deepEqual([waitMs, hit.moment.nowMs], [0, nowMs], "a shortcut where the long way is the same");
      oracle.hit(nowMs, cost);
      assert.equal(hit.remaining, oracle.remaining(nowMs));
      assert.notEqual(hit.remaining, 0, "a shortcut where something is left");
      continue;
    }
    const answer = await take(store, limitOf(limit), { key: "followed", cost, ...(token ? { token } : {}) });
    if (waitMs === 0) oracle.hit(nowMs, cost);
    const remaining = oracle.remaining(nowMs);
    const { stamp: _, ...got } = first(answer);
    const expected = { limit: limit.limit, remaining, waitMs, nextMs: remaining > 0 ? 0 : oracle.waitMs(nowMs, 1) };
    assert.deepEqual(
      { allowed: answer.allowed, atMs: answer.atMs, ...got },
      { allowed: waitMs === 0, atMs: nowMs, ...expected },
    );
  }
  return oracle.hits;
}

function assertSpans(hits: readonly Hit[], { limit, perMs }: Limit, span: "closed" | "half-open"): void {
  for (const last of hits) {
    const inside = hits.filter(
      ({ atMs }) =>
        atMs <= last.atMs && (atMs > last.atMs - perMs || (span === "closed" && atMs === last.atMs - perMs)),
    );
    const spent = inside.reduce((sum, { cost }) => sum + cost, 0);
    assert.ok(spent <= limit, `${spent} in the ${perMs} ms until ${last.atMs}, limit ${limit}`);
  }
}
