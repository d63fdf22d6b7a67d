import { testSeed } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Moment } from "../src/algorithm.ts";
import { algorithmOf } from "../src/algorithms.ts";
import { bucket, fixedWindow, slidingLog, strictWindow, window, type Limit } from "../src/index.ts";
import { createOracle } from "../src/laws/index.ts";

interface Step {
  readonly pauseMs: number;
  readonly cost: number;
}

const small = { limit: fc.integer({ min: 1, max: 9 }), per: fc.integer({ min: 1, max: 30 }) };
const limits: Readonly<Record<string, fc.Arbitrary<Limit>>> = {
  "a weighted window": fc.record(small).map(window),
  "a strict window": fc.record({ ...small, parts: fc.integer({ min: 1, max: 12 }) }).map(strictWindow),
  "a fixed window": fc.record(small).map(fixedWindow),
  "a sliding log": fc.record(small).map(slidingLog),
  "a bucket": fc
    .record({ capacity: small.limit, refill: fc.integer({ min: 1, max: 7 }), every: small.per })
    .map(bucket),
};
const trace: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
    cost: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 40 },
);

describe.each(Object.entries(limits))("%s", (_, arbitrary) => {
  it("decides, waits and counts as its definition says, for every trace", () => {
    fc.assert(
      fc.property(arbitrary, trace, fc.integer({ min: 0, max: 1000 }), (limit, steps, startMs) => {
        const oracle = createOracle(limit);
        const algorithm = algorithmOf(limit.kind);
        let nowMs = startMs;
        const state = algorithm.begin({ terms: limit, nowMs });
        for (const { pauseMs, cost } of steps) {
          nowMs += pauseMs;
          const moment: Moment = { terms: limit, nowMs };
          algorithm.roll(state, moment);
          const waitMs = algorithm.waitMs(state, moment, cost);
          expect(waitMs).toBe(oracle.waitMs(nowMs, cost));
          if (waitMs === 0) {
            algorithm.spend(state, moment, { cost, token: "" });
            oracle.hit(nowMs, cost);
          }
          expect(algorithm.remaining(state, moment)).toBe(oracle.remaining(nowMs));
        }
      }),
      { seed: testSeed(), numRuns: 150 },
    );
  });
});

describe("a strict window", () => {
  it("never lets more than its limit into a span, in any history of calls: all of them are tried", () => {
    for (const parts of [1, 2, 3, 4]) {
      for (const limit of [1, 2]) {
        const terms = strictWindow({ limit, per: 4, parts });
        const fullest = Array.from({ length: 2 ** 12 }, (_, pattern) => fullestSpan(admittedTimes(terms, pattern), 4));
        expect(Math.max(...fullest)).toBe(limit);
      }
    }
  });

  it("lets somebody in again after the window and a piece of it at the latest", () => {
    const terms = strictWindow({ limit: 3, per: 1000, parts: 10 });
    const algorithm = algorithmOf(terms.kind);
    const waits = Array.from({ length: 1000 }, (_, startMs) => {
      const moment: Moment = { terms, nowMs: startMs };
      const state = algorithm.begin(moment);
      algorithm.spend(state, moment, { cost: 3, token: "" });
      return algorithm.waitMs(state, moment, 1);
    });
    expect([Math.min(...waits), Math.max(...waits)]).toEqual([1001, 1100]);
  });
});

/** Most hits in a closed span of so many ms. */
function fullestSpan(times: readonly number[], spanMs: number): number {
  return Math.max(0, ...times.map((last) => times.filter((atMs) => atMs >= last - spanMs && atMs <= last).length));
}

/** When calls pass that come at each ms whose bit is set. */
function admittedTimes(terms: Limit, pattern: number): number[] {
  const algorithm = algorithmOf(terms.kind);
  const state = algorithm.begin({ terms, nowMs: 0 });
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 12; nowMs += 1) {
    const moment: Moment = { terms, nowMs };
    if ((pattern & (1 << nowMs)) === 0) continue;
    algorithm.roll(state, moment);
    if (algorithm.waitMs(state, moment, 1) > 0) continue;
    algorithm.spend(state, moment, { cost: 1, token: "" });
    times.push(nowMs);
  }
  return times;
}
