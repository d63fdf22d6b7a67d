import assert from "node:assert/strict";

import type { NamedLimit } from "../field.ts";
import { bucket, concurrency, fixedWindow, slidingLog, strictWindow, window } from "../limit.ts";
import type { Answer, RateLimitStore } from "../store.ts";
import { first, limitOf, take, type StoreLaw } from "./law.ts";

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
    async check(store, { clock, random }) {
      for (let trace = 0; trace < 6; trace += 1) {
        const limit = limitOf(bucket({ name: `spans-${trace}`, capacity: 6, refill: random.integer(1, 4), every: 10 }));
        const calls: { readonly answer: Answer; readonly atMs: number; spent: number }[] = [];
        for (let call = 0; call < 50; call += 1) {
          const answer = await take(store, limit, { cost: 3 });
          if (answer.allowed) calls.push({ answer, atMs: clock.now(), spent: 3 });
          const refunded = calls[random.integer(0, calls.length)];
          if (refunded && random.integer(0, 2) === 0) {
            const delta = -random.integer(1, 4);
            refunded.spent += (await adjust(store, { limit, ...refunded, delta, booked: refunded.spent })) ?? 0;
          }
          clock.stepWall(random.integer(0, 25));
        }
        for (const { atMs: from } of calls) {
          let spent = 0;
          for (const { atMs, spent: cost } of calls.filter((call) => call.atMs >= from)) {
            spent += cost;
            const most = 6 + (limit.refill * (atMs - from)) / 10;
            assert.ok(spent <= most, `${spent} of ${most} in ${atMs - from} ms`);
          }
        }
      }
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
