import { seededRandom } from "@sluice/core";
import { testSeed } from "@sluice/testing";
import { describe, expect, it, onTestFinished } from "vitest";

import { createOffenders, rateLimitEvents, type Offenders, type OffendersOptions } from "../src/index.ts";
import { codeOf } from "./outcome.ts";

const decision = { type: "decision", policy: "p", cost: 1, via: "store", retryAfterMs: 0, shadow: false } as const;

function deny(key: string): void {
  rateLimitEvents.publish({ ...decision, key, allowed: false });
}

function made(options?: OffendersOptions): Offenders {
  const offenders = createOffenders(options);
  onTestFinished(() => offenders.close());
  return offenders;
}

describe("the list of offenders", () => {
  it("has those who are denied most, and nobody who is let through", () => {
    const offenders = made();
    for (let call = 0; call < 5; call += 1) deny("often");
    for (let call = 0; call < 2; call += 1) deny("twice");
    for (let call = 0; call < 9; call += 1) rateLimitEvents.publish({ ...decision, key: "good", allowed: true });
    expect(offenders.top()).toEqual([
      { key: "often", atLeast: 5, atMost: 5 },
      { key: "twice", atLeast: 2, atMost: 2 },
    ]);
    expect(offenders.top(1).length).toBe(1);
  });

  it("finds the largest among a million others, and knows by how much it may be wrong", () => {
    const offenders = made({ capacity: 100 });
    const random = seededRandom(testSeed());
    const total = 1_000_000;
    let own = 0;
    for (let call = 0; call < total; call += 1) {
      const isOwn = random.integer(0, 50) === 0;
      own += isOwn ? 1 : 0;
      deny(isOwn ? "largest" : `other-${call}`);
    }
    const [first] = offenders.top();
    expect(first?.key).toBe("largest");
    expect(first?.atLeast).toBeLessThanOrEqual(own);
    expect(first?.atMost).toBeGreaterThanOrEqual(own);
    expect((first?.atMost ?? 0) - (first?.atLeast ?? 0)).toBeLessThanOrEqual(total / 101);
    expect(offenders.top(Infinity).length).toBeLessThanOrEqual(100);
  });

  it("begins anew when it is cleared, and ends when it is closed", () => {
    const offenders = made();
    deny("a");
    offenders.clear();
    deny("b");
    expect(offenders.top()).toEqual([{ key: "b", atLeast: 1, atMost: 1 }]);
    offenders.close();
    deny("b");
    expect(offenders.top()).toEqual([{ key: "b", atLeast: 1, atMost: 1 }]);
  });

  it.each([0, -1, 1.5, Number.NaN, 100_001])("is refused for a capacity of %s", (capacity) => {
    expect(codeOf(() => createOffenders({ capacity }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });
});
