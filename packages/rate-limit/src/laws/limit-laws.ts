import assert from "node:assert/strict";

import { bucket, concurrency, fixedWindow, slidingLog, strictWindow, window, type Limit } from "../limit.ts";
import { admitted, assertExactWait, first, limitOf, take, type StoreLaw } from "./law.ts";

const day = 86_400_000;

/** Sets the clock to a multiple of some ms. */
function align(clock: { now(): number; stepWall(ms: number): void }, perMs: number): void {
  clock.stepWall((perMs - (clock.now() % perMs)) % perMs);
}

/** What single limits do in cases that people ask about. */
export const limitLaws: readonly StoreLaw[] = [
  {
    title: "800 hits before, 300 now and 55 of 60 s to go weigh 1033, and 1000 denies for exactly 2575 ms",
    async check(store, { clock }) {
      const limit = limitOf(window({ limit: 1000, per: "60s" }));
      align(clock, 60_000);
      assert.equal((await take(store, limit, { cost: 800 })).allowed, true);
      // At a moment with room for it: no history of calls that were all let through has 300 hits at 5 s.
      clock.stepWall(60_000 + 56_000);
      assert.equal((await take(store, limit, { cost: 300 })).allowed, true);
      clock.stepWall(5000 - 56_000);
      const { allowed, limits } = await take(store, limit);
      assert.deepEqual([allowed, limits[0]?.waitMs], [false, 2575]);
      await assertExactWait(store, limit, { clock });
    },
  },
  {
    title: "windows of 1 ms and of 40 days are counted to the millisecond",
    async check(store, { clock }) {
      for (const per of [1, 40 * day]) {
        for (const make of [window, fixedWindow, slidingLog, strictWindow]) {
          const limit = limitOf(make({ limit: 3, per }));
          assert.equal(await admitted(store, limit, 5), 3, `${limit.kind} of ${per} ms`);
          await assertExactWait(store, limit, { clock });
          await store.reset("subject");
        }
      }
    },
  },
  {
    title: "a bucket of a refill in 40 days gives exactly one token in that time",
    async check(store, { clock }) {
      const limit = limitOf(bucket({ capacity: 2, refill: 1, every: "40d" }));
      assert.equal(await admitted(store, limit, 3), 2);
      await assertExactWait(store, limit, { clock });
      assert.equal(await admitted(store, limit, 2), 1);
    },
  },
  {
    title: "the largest limits count exactly",
    async check(store, { clock }) {
      const most = Math.floor(Number.MAX_SAFE_INTEGER / 60_000);
      const limit = limitOf(window({ limit: most, per: "60s" }));
      align(clock, 60_000);
      assert.equal((await take(store, limit, { cost: most - 1 })).allowed, true);
      assert.equal(await admitted(store, limit, 2), 1);
      await assertExactWait(store, limit, { clock });
      const full = limitOf(bucket({ capacity: Math.floor(most / 2), refill: 7, every: "60s" }));
      assert.equal((await take(store, full, { cost: full.limit - 1 })).allowed, true);
      assert.equal(await admitted(store, full, 2), 1);
      await assertExactWait(store, full, { clock });
    },
  },
  {
    title: "a cost above the limit never fits and spends nothing",
    async check(store) {
      for (const limit of allKinds()) {
        const answer = await take(store, limit, { cost: 4, token: "token0000000" });
        assert.deepEqual([answer.allowed, first(answer).waitMs, first(answer).remaining], [false, Infinity, 3]);
      }
    },
  },
  {
    title: "looking spends nothing",
    async check(store) {
      for (const limit of allKinds()) {
        for (let look = 0; look < 5; look += 1) {
          const { allowed, limits } = await take(store, limit, { spend: false, token: "token0000000" });
          assert.deepEqual([allowed, limits[0]?.remaining], [true, 3]);
        }
      }
    },
  },
  {
    title: "denied calls neither spend nor prolong a wait",
    async check(store, { clock }) {
      for (const limit of allKinds()) {
        for (const token of ["token0000001", "token0000002", "token0000003"]) await take(store, limit, { token });
        const before = first(await take(store, limit, { token: "token0000004" })).waitMs;
        for (let call = 0; call < 20; call += 1) await take(store, limit, { token: "token0000004" });
        assert.equal(first(await take(store, limit, { token: "token0000004" })).waitMs, before, limit.kind);
        await assertExactWait(store, limit, { clock, token: "token0000004" });
      }
    },
  },
  {
    title: "a denied call counts where that is asked for: who keeps calling stays out, for two limits at most",
    async check(store, { clock }) {
      const limits = [
        limitOf(window({ limit: 3, per: "1s" })),
        limitOf(strictWindow({ limit: 3, per: "1s" })),
        limitOf(bucket({ capacity: 3, refill: 3, every: "1s" })),
      ];
      for (const limit of limits) {
        let passed = 0;
        for (let call = 0; call < 50; call += 1) {
          passed += (await take(store, limit, { countDenied: true })).allowed ? 1 : 0;
          clock.stepWall(100);
        }
        assert.equal(passed, 3, limit.kind);
        clock.stepWall(2000);
        for (let call = 0; call < 3; call += 1) await take(store, limit, { countDenied: true });
        const told = first(await take(store, limit, { countDenied: true })).waitMs;
        assert.equal(first(await take(store, limit, { spend: false })).waitMs, told, "a wait with the call that waits");
        for (let call = 0; call < 20; call += 1) await take(store, limit, { countDenied: true });
        assert.equal((await store.inspect("subject")).counters[0]?.spent, 6, `${limit.kind}: twice the limit is kept`);
        const last = first(await take(store, limit, { countDenied: true }));
        assert.ok(last.waitMs <= 2000, `${limit.kind}: ${last.waitMs} ms`);
        await assertExactWait(store, limit, { clock });
        await store.reset("subject");
      }
    },
  },
  {
    title: "a denied call that counts does so at every limit, but not while it is blocked nor when it never fits",
    async check(store) {
      const small = limitOf(window({ name: "small", limit: 1, per: "1m" }));
      const large = limitOf(window({ name: "large", limit: 10, per: "1m" }));
      const left = async () => first(await take(store, large, { spend: false })).remaining;
      for (let call = 0; call < 5; call += 1) await take(store, [small, large], { countDenied: true });
      assert.equal(await left(), 5);
      await take(store, [small, large], { countDenied: true, cost: 2 });
      await take(store, [small, large], { countDenied: true, spend: false });
      await store.mark("subject", { kind: "block", forMs: 60_000 });
      await take(store, large, { countDenied: true });
      await store.mark("subject", { kind: "block", forMs: 0 });
      assert.equal(await left(), 5);
    },
  },
  {
    title: "a limit whose window changes never reads the counts of the old one",
    async check(store) {
      const per = [60_000, 30_000, 3_600_000];
      for (const perMs of per) assert.equal(await admitted(store, limitOf(window({ limit: 5, per: perMs })), 9), 5);
      for (const perMs of per) assert.equal(await admitted(store, limitOf(window({ limit: 5, per: perMs })), 1), 0);
    },
  },
  {
    title: "a slow steady client below the limit is never denied",
    async check(store, { clock }) {
      const limit = limitOf(window({ limit: 5, per: "2s" }));
      for (let second = 0; second < 100; second += 1) {
        assert.equal((await take(store, limit)).allowed, true, `call ${second}`);
        clock.stepWall(1000);
      }
    },
  },
];

function allKinds() {
  const limits: Limit[] = [
    window({ limit: 3, per: "1s" }),
    strictWindow({ limit: 3, per: "1s" }),
    fixedWindow({ limit: 3, per: "1s" }),
    slidingLog({ limit: 3, per: "1s" }),
    bucket({ capacity: 3, refill: 1, every: "1s" }),
    concurrency({ limit: 3, lease: "1s" }),
  ];
  return limits.map(limitOf);
}
