import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { seededRandom } from "@sluice/core";
import { createFakeClock, testSeed } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { named } from "../src/field.ts";
import { bucket, byUser, memoryStore, slidingLog, window, type Limit } from "../src/index.ts";
import type { Answer, RateLimitStore } from "../src/store.ts";
import { heard } from "./heard.ts";

function asking(store: RateLimitStore, limit: Limit) {
  const bound = named(limit, "bound");
  return (key: string): boolean => (store.take([{ key, limit: bound, cost: 1 }], { spend: true }) as Answer).allowed;
}

const minute = window({ limit: 1, per: "1m" });

describe("a full memory store", () => {
  it("lets nobody in for being forgotten, when more subjects come than memory may hold", () => {
    const events = heard();
    const store = memoryStore({ maxSubjects: 2, clock: createFakeClock() });
    const take = asking(store, minute);
    const passed = ["v", "b", "c", "v", "b", "c"].map((key) => take(key));
    expect(passed).toEqual([true, true, true, false, false, false]);
    expect(events.filter(({ type }) => type === "memory-full")).toEqual([
      { type: "memory-full", field: "w1:bound@60000", maxSubjects: 2 },
    ]);
  });

  it("never lets a subject have more than its limit, whoever else comes", async () => {
    const random = seededRandom(testSeed());
    for (const limit of [
      window({ limit: 3, per: 50 }),
      slidingLog({ limit: 3, per: 50 }),
      bucket({ capacity: 3, refill: 3, every: 50 }),
    ]) {
      const clock = createFakeClock();
      const [full, roomy] = [memoryStore({ maxSubjects: 5, clock, random }), memoryStore({ clock })];
      const [take, reference] = [asking(full, limit), asking(roomy, limit)];
      let denied = 0;
      for (let call = 0; call < 3000; call += 1) {
        const key = `subject-${random.integer(0, 40)}`;
        const allowed = take(key);
        // What passes here would have passed with room for all: the reference has seen the same passes, and no more.
        if (allowed && !reference(key)) throw new Error(`${limit.kind}, call ${call} passed above its limit`);
        denied += allowed ? 0 : 1;
        if (random.integer(0, 4) === 0) clock.stepWall(random.integer(0, 10));
      }
      expect(denied).toBeGreaterThan(0);
      expect(denied).toBeLessThan(2999);
    }
  });

  it("has room again once what it holds is idle", () => {
    const clock = createFakeClock();
    const take = asking(memoryStore({ maxSubjects: 10, clock }), minute);
    for (let subject = 0; subject < 10; subject += 1) take(`old-${subject}`);
    clock.stepWall(180_000);
    const passed = Array.from({ length: 10 }, (_, subject) => take(`new-${subject}`));
    expect(passed).not.toContain(false);
  });

  it("holds a million hostile subjects in the memory of its bound", { timeout: 60_000 }, () => {
    const store = memoryStore({ maxSubjects: 10_000 });
    const take = asking(store, window({ limit: 5, per: "1h" }));
    const before = heapBytes();
    for (let subject = 0; subject < 1_000_000; subject += 1) take(byUser(`203.0.${subject}.hostile`).key);
    const grownBytes = heapBytes() - before;
    expect(grownBytes).toBeLessThan(10_000 * 1000);
    expect(take("another")).toBeTypeOf("boolean");
  });

  it("refuses a block when it has as many as it may", async () => {
    const clock = createFakeClock();
    const store = memoryStore({ maxSubjects: 2, clock });
    for (const key of ["a", "b"]) await store.mark(key, { kind: "block", forMs: 1000 });
    expect(() => store.mark("c", { kind: "block", forMs: 1000 })).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_RATE_LIMIT_MARKS_FULL" }),
    );
    clock.stepWall(1000);
    await store.mark("c", { kind: "block", forMs: 1000 });
    expect((await store.inspect("c")).blockedMs).toBe(1000);
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
