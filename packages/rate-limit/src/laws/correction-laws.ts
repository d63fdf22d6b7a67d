import assert from "node:assert/strict";

import type { NamedLimit } from "../field.ts";
import { bucket, concurrency, fixedWindow, slidingLog, strictWindow, window } from "../limit.ts";
import type { Answer, RateLimitStore } from "../store.ts";
import { first, limitOf, take, type StoreLaw, type StoreLawContext } from "./law.ts";

const counting = [
  limitOf(window({ limit: 10, per: "1s" })),
  limitOf(strictWindow({ limit: 10, per: "1s" })),
  limitOf(fixedWindow({ limit: 10, per: "1s" })),
  limitOf(slidingLog({ limit: 10, per: "1s" })),
  limitOf(bucket({ capacity: 10, refill: 10, every: "1s" })),
];

interface Corrected {
  readonly limit: NamedLimit;
  readonly answer: Answer;
  readonly delta: number;
  readonly booked?: number;
  readonly token?: string;
}

async function adjust(store: RateLimitStore, corrected: Corrected): Promise<number | undefined> {
  const { limit, answer, delta, booked = -delta, token } = corrected;
  const { atMs } = answer;
  const { stamp } = first(answer);
  const [applied] = await store.adjust("subject", [{ limit, delta, booked, stamp, atMs, token }]);
  return applied;
}

async function remaining(store: RateLimitStore, limit: NamedLimit): Promise<number> {
  return first(await take(store, limit, { spend: false, token: "looking00000" })).remaining;
}

/** A call that a bucket let through. */
interface Call {
  readonly answer: Answer;
  readonly atMs: number;
  /** What is booked for it, in tokens. */
  booked: number;
  /** What it has spent, refunds subtracted, in `1 / perMs` tokens. */
  units: number;
}

/** Calls at random moments, some of them refunded in part or in full. */
async function refundedCalls(store: RateLimitStore, limit: NamedLimit, context: StoreLawContext): Promise<Call[]> {
  const { clock, random } = context;
  const calls: Call[] = [];
  for (let round = 0; round < 50; round += 1) {
    const answer = await take(store, limit, { cost: 3 });
    if (answer.allowed) calls.push({ answer, atMs: clock.now(), booked: 3, units: 3 * limit.perMs });
    const call = calls[random.integer(0, calls.length)];
    if (call && call.booked > 0 && random.integer(0, 2) === 0) {
      const refund = random.integer(1, call.booked + 1);
      const flowed = limit.refill * (clock.now() - call.atMs);
      const given = Math.max(0, Math.min(refund * limit.perMs, call.booked * limit.perMs - flowed));
      const applied = await adjust(store, { limit, answer: call.answer, delta: -refund, booked: call.booked });
      assert.equal(applied, 0 - Math.ceil(given / limit.perMs));
      call.units -= given;
      call.booked -= refund;
    }
    clock.stepWall(random.integer(0, 25));
  }
  return calls;
}

/** Refunds, settlements, and slots that are released and renewed. */
export const correctionLaws: readonly StoreLaw[] = [
  {
    title: "a refund gives back exactly what was spent",
    async check(store) {
      for (const limit of counting) {
        const spent = await take(store, limit, { cost: 6 });
        await take(store, limit, { cost: 3 });
        assert.equal(await adjust(store, { limit, answer: spent, delta: -6 }), -6, limit.kind);
        assert.equal(await remaining(store, limit), 7, limit.kind);
      }
    },
  },
  {
    title: "a refund that comes after its window gives nothing back",
    async check(store, { clock }) {
      for (const limit of counting) {
        const spent = await take(store, limit, { cost: 6 });
        clock.stepWall(2100);
        await take(store, limit, { cost: 8 });
        assert.equal(await adjust(store, { limit, answer: spent, delta: -6 }), 0, limit.kind);
        assert.equal(await remaining(store, limit), 2, limit.kind);
        clock.stepWall(5000);
      }
    },
  },
  {
    title: "a bucket gives back only what has not flowed back by itself",
    async check(store, { clock }) {
      const limit = limitOf(bucket({ capacity: 10, refill: 1, every: "1s" }));
      const spent = await take(store, limit, { cost: 10 });
      clock.stepWall(4000);
      assert.equal(await remaining(store, limit), 4);
      assert.equal(await adjust(store, { limit, answer: spent, delta: -10 }), -6);
      assert.equal(await remaining(store, limit), 10);
    },
  },
  {
    title: "a bucket lets no span have more than a burst and what flows, refunds counted as never spent",
    async check(store, context) {
      for (let trace = 0; trace < 6; trace += 1) {
        const limit = limitOf(
          bucket({ name: `spans-${trace}`, capacity: 6, refill: context.random.integer(1, 4), every: 10 }),
        );
        const calls = await refundedCalls(store, limit, context);
        for (const [index, { atMs: from }] of calls.entries()) {
          let units = 0;
          for (const call of calls.slice(index)) {
            units += call.units;
            const most = limit.limit * limit.perMs + limit.refill * (call.atMs - from);
            assert.ok(units <= most, `${units} of ${most} in ${call.atMs - from} ms`);
          }
        }
      }
    },
  },
  {
    title: "a bucket gives back all but what has flowed since, to the fraction of a token",
    async check(store, { clock }) {
      const limit = limitOf(bucket({ capacity: 10, refill: 1, every: "1s" }));
      const spent = await take(store, limit);
      await take(store, limit, { cost: 9 });
      clock.stepWall(1);
      assert.equal(await adjust(store, { limit, answer: spent, delta: -1 }), -1);
      const again = await take(store, limit);
      assert.deepEqual([again.allowed, first(again).waitMs], [true, 0]);
      assert.equal(first(await take(store, limit)).waitMs, 1000);
    },
  },
  {
    title: "what a call turns out to cost more is charged, even above the limit",
    async check(store, { clock }) {
      for (const limit of counting) {
        const spent = await take(store, limit, { cost: 4 });
        assert.equal(await adjust(store, { limit, answer: spent, delta: 9 }), 9, limit.kind);
        assert.equal(await remaining(store, limit), 0, limit.kind);
        clock.stepWall(1000 / 4);
        assert.equal((await take(store, limit)).allowed, false, limit.kind);
        clock.stepWall(5000);
        assert.equal(await remaining(store, limit), 10, limit.kind);
      }
    },
  },
  {
    title: "what a call turns out to cost more is charged to the limit that an override gives",
    async check(store) {
      for (const limit of counting) {
        const override = { kind: "override", name: limit.name, limit: 100, refill: 0, forMs: 60_000 } as const;
        await store.mark("subject", override);
        const spent = await take(store, limit, { cost: 50 });
        assert.equal(await adjust(store, { limit, answer: spent, delta: 9 }), 9, limit.kind);
        assert.equal(await remaining(store, limit), 41, limit.kind);
      }
    },
  },
  {
    title: "nothing that is settled locks anybody out for longer than two full limits",
    async check(store, { clock }) {
      for (const limit of counting) {
        const spent = await take(store, limit);
        await adjust(store, { limit, answer: spent, delta: 1_000_000 });
        clock.stepWall(2200);
        assert.equal(await remaining(store, limit), 10, limit.kind);
      }
    },
  },
  {
    title: "a correction for a subject that is forgotten brings nothing back",
    async check(store) {
      for (const limit of counting) {
        const spent = await take(store, limit, { cost: 2 });
        await store.reset("subject");
        for (const delta of [-2, 2]) assert.equal(await adjust(store, { limit, answer: spent, delta }), 0, limit.kind);
        assert.deepEqual((await store.inspect("subject")).counters, []);
      }
    },
  },
  {
    title: "a slot is free when it is released, once, and only its own",
    async check(store) {
      const limit = limitOf(concurrency({ limit: 2, lease: "1m" }));
      const [one, two] = ["token0000001", "token0000002"];
      const answer = await take(store, limit, { token: one });
      await take(store, limit, { token: two });
      assert.equal((await take(store, limit, { token: "token0000003" })).allowed, false);
      assert.equal(await adjust(store, { limit, answer, delta: -1, token: one }), -1);
      assert.equal(await adjust(store, { limit, answer, delta: -1, token: one }), 0);
      assert.equal(await remaining(store, limit), 1);
    },
  },
  {
    title: "a slot is free after its lease, later if it is renewed, and a lost one cannot be renewed",
    async check(store, { clock }) {
      const limit = limitOf(concurrency({ limit: 1, lease: "10s" }));
      const token = "token0000001";
      const answer = await take(store, limit, { token });
      clock.stepWall(9000);
      assert.equal(await adjust(store, { limit, answer, delta: 0, token }), 1);
      clock.stepWall(9999);
      const denied = await take(store, limit, { token: "token0000002" });
      assert.deepEqual([denied.allowed, first(denied).waitMs], [false, 1]);
      clock.stepWall(1);
      assert.equal((await take(store, limit, { token: "token0000002" })).allowed, true);
      assert.equal(await adjust(store, { limit, answer, delta: 0, token }), 0);
      assert.equal((await take(store, limit, { token: "token0000003" })).allowed, false);
    },
  },
];
