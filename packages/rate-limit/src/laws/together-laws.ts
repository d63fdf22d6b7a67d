import assert from "node:assert/strict";

import { bucket, concurrency, slidingLog, strictWindow, window } from "../limit.ts";
import { admitted, first, limitOf, take, type StoreLaw } from "./law.ts";

const minute = limitOf(window({ name: "minute", limit: 10, per: "1m" }));
const hour = limitOf(window({ name: "hour", limit: 30, per: "1h" }));

/** Several limits, and several subjects, decided at once. */
export const togetherLaws: readonly StoreLaw[] = [
  {
    title: "of 100 calls at 10 a minute and 30 an hour 10 pass, and the hour has lost 10",
    async check(store) {
      assert.equal(await admitted(store, [minute, hour], 100), 10);
      const { limits } = await take(store, [minute, hour], { spend: false });
      assert.deepEqual(
        limits.map(({ remaining }) => remaining),
        [0, 20],
      );
    },
  },
  {
    title: "the wait of several limits is over exactly when the last of them lets the call in",
    async check(store, { clock, random }) {
      const limits = [
        limitOf(window({ name: "a", limit: 3, per: 40 })),
        limitOf(strictWindow({ name: "b", limit: 4, per: 90, parts: 7 })),
        limitOf(bucket({ name: "c", capacity: 2, refill: 1, every: 25 })),
        limitOf(slidingLog({ name: "d", limit: 5, per: 110 })),
      ];
      for (let call = 0; call < 60; call += 1) {
        const answer = await take(store, limits);
        const waitMs = Math.max(...answer.limits.map((limit) => limit.waitMs));
        assert.equal(answer.allowed, waitMs === 0);
        if (!answer.allowed && random.integer(0, 2) === 0) {
          clock.stepWall(waitMs - 1);
          assert.equal((await take(store, limits, { spend: false })).allowed, false);
          clock.stepWall(1);
          assert.equal((await take(store, limits, { spend: false })).allowed, true);
        }
        clock.stepWall(random.integer(0, 8));
      }
    },
  },
  {
    title: "subjects that are asked together spend together or not at all",
    async check(store) {
      const user = limitOf(window({ name: "user", limit: 5, per: "1m" }));
      const tenant = limitOf(window({ name: "tenant", limit: 8, per: "1m" }));
      const ask = async (id: string): Promise<boolean> => {
        const asks = [
          { key: `user:${id}`, limit: user, cost: 1 },
          { key: "tenant", limit: tenant, cost: 1 },
        ];
        return (await store.take(asks, { spend: true })).allowed;
      };
      const passed: Record<string, number> = { one: 0, two: 0 };
      for (let call = 0; call < 10; call += 1) {
        for (const id of ["one", "two"]) passed[id] = (passed[id] ?? 0) + ((await ask(id)) ? 1 : 0);
      }
      assert.deepEqual(passed, { one: 4, two: 4 });
      assert.equal(first(await take(store, user, { key: "user:one", spend: false })).remaining, 1);
    },
  },
  {
    title: "costs of one decision may differ by limit",
    async check(store) {
      const calls = limitOf(window({ name: "calls", limit: 100, per: "1m" }));
      const tokens = limitOf(bucket({ name: "tokens", capacity: 1000, refill: 10, every: "1s" }));
      const asks = [
        { key: "subject", limit: calls, cost: 1 },
        { key: "subject", limit: tokens, cost: 400 },
      ];
      for (const expected of [true, true, false]) {
        assert.equal((await store.take(asks, { spend: true })).allowed, expected);
      }
      const { limits } = await store.take(asks, { spend: false });
      assert.deepEqual(
        limits.map(({ remaining }) => remaining),
        [98, 200],
      );
    },
  },
  {
    title: "a slot is not held by a call that another limit denies",
    async check(store) {
      const slots = limitOf(concurrency({ name: "slots", limit: 2, lease: "1m" }));
      const one = limitOf(window({ name: "one", limit: 1, per: "1m" }));
      assert.equal((await take(store, [slots, one], { token: "token0000001" })).allowed, true);
      assert.equal((await take(store, [slots, one], { token: "token0000002" })).allowed, false);
      assert.equal(first(await take(store, slots, { token: "token0000003", spend: false })).remaining, 1);
    },
  },
];
