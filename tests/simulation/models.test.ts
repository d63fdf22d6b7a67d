import { describe, expect, it } from "vitest";

import { explore } from "./models/explore.ts";
import { chosenL1, l1Coherence, type L1Design } from "./models/l1-coherence.ts";
import { chosen, type Design, type Size } from "./models/lease-design.ts";
import { leaseProtocol } from "./models/lease-protocol.ts";

const flush: Size = { getters: [0, 0, 1], writers: ["flush"], evictions: 0 };
const drop: Size = { ...flush, writers: ["drop"] };

describe("the lease protocol, in every order of its steps", () => {
  const sizes: Readonly<Record<string, readonly [Size, Partial<Design>]>> = {
    "a flush": [flush, {}],
    "a drop": [drop, {}],
    "a flush and two lost keys": [{ ...flush, getters: [0, 0], evictions: 2 }, {}],
    "a drop and two lost keys": [{ ...drop, getters: [0, 0], evictions: 2 }, {}],
    "two writes and a lost key": [{ getters: [0, 0], writers: ["flush", "drop"], evictions: 1 }, {}],
    "value and token read apart, in this order": [flush, { reads: "value-first" }],
    "value and token read apart, in the other order": [flush, { reads: "token-first" }],
  };
  for (const [title, [size, design]] of Object.entries(sizes)) {
    it(`never returns an older row than an invalidation vouches for: ${title}`, () => {
      const { violations, counterexample, states } = explore(leaseProtocol({ ...chosen, ...design }, size));
      expect(counterexample).toBeUndefined();
      expect(violations).toBe(0);
      expect(states).toBeGreaterThan(3000);
    });
  }

  const wrong: Readonly<Record<string, readonly [Partial<Design>, Size]>> = {
    "a reader that compares no tokens": [{ validate: false }, flush],
    "a token taken when the value is stored": [{ capture: "at-store" }, flush],
    "an absent generation read as zero": [{ missing: "zero" }, { ...flush, evictions: 1 }],
    "a getter that joins any load underway": [{ join: "any" }, flush],
    "a getter that joins by tokens alone": [{ join: "tokens" }, drop],
    "a getter that shares a read underway": [{ share: "underway" }, flush],
    "a tombstone in place of a lease": [{ drop: "tombstone" }, { ...drop, evictions: 1 }],
    "a store that asks nobody": [{ drop: "nothing" }, drop],
  };
  for (const [title, [design, size]] of Object.entries(wrong)) {
    it(`finds what is wrong with ${title}`, () => {
      expect(explore(leaseProtocol({ ...chosen, ...design }, size), { stopAt: 1 }).violations).toBe(1);
    });
  }
});

describe("copies in the memory of a process, in every order of their steps", () => {
  const lag = { ticks: 3, writes: 2, cuts: 1, bound: "lag", boundTicks: 2 } as const;
  const age = { ticks: 5, writes: 2, cuts: 0, bound: "age", boundTicks: 2 } as const;

  it("are never read for longer than the lag after an invalidation, while announcements are heard", () => {
    const { violations, counterexample, states } = explore(l1Coherence(chosenL1, lag));
    expect(counterexample).toBeUndefined();
    expect(violations).toBe(0);
    expect(states).toBeGreaterThan(100_000);
  });

  it("are never read for longer than their age after an invalidation, when nothing is heard", () => {
    expect(explore(l1Coherence(chosenL1, age))).toMatchObject({ violations: 0, counterexample: undefined });
  });

  const wrong: Readonly<Record<string, readonly [Partial<L1Design>, typeof lag | typeof age]>> = {
    "a copy kept in spite of an announcement": [{ fill: "always" }, lag],
    "trust from the answer of a heartbeat on": [{ trust: "since-pong" }, lag],
    "trust in a connection that looks alive": [{ trust: "while-connected" }, lag],
    "a new subscription that forgets nothing": [{ resubscribe: "keeps" }, lag],
    "an age that counts from the arrival": [{ age: "arrival" }, age],
  };
  for (const [title, [design, size]] of Object.entries(wrong)) {
    it(`finds what is wrong with ${title}`, () => {
      expect(explore(l1Coherence({ ...chosenL1, ...design }, size), { stopAt: 1 }).violations).toBe(1);
    });
  }
});
