import assert from "node:assert/strict";

import { bucket, concurrency, fixedWindow, slidingLog, strictWindow, window } from "../limit.ts";
import { first, limitOf, take, type StoreLaw } from "./law.ts";

const limits = [
  limitOf(window({ limit: 4, per: "1s" })),
  limitOf(strictWindow({ limit: 4, per: "1s" })),
  limitOf(fixedWindow({ limit: 4, per: "1s" })),
  limitOf(slidingLog({ limit: 4, per: "1s" })),
  limitOf(bucket({ capacity: 4, refill: 4, every: "1s" })),
  limitOf(concurrency({ limit: 4, lease: "1s" })),
];

/** What happens when the store's clock steps, as after a failover to a server whose clock is another. */
export const clockLaws: readonly StoreLaw[] = [
  {
    title: "a clock that steps back lets nobody in again",
    async check(store, { clock }) {
      for (const limit of limits) {
        for (const backMs of [1, 300, 999, 1000, 1001, 5000, 86_400_000]) {
          clock.stepWall(10_000_000_000);
          await take(store, limit, { cost: 4, token: "token0000001" });
          clock.stepWall(-backMs);
          const { allowed } = await take(store, limit, { token: "token0000002" });
          assert.equal(allowed, false, `${limit.kind} after a step of ${backMs} ms`);
        }
      }
    },
  },
  {
    title: "a clock that steps back over the edge of a window forgets neither side of it",
    async check(store, { clock }) {
      for (const limit of limits.filter(({ kind }) => kind !== "fixed-window")) {
        for (const backMs of [6, 10, 300, 1500]) {
          clock.stepWall(10_000_000_995 - (clock.now() % 1000));
          await take(store, limit, { cost: 3, token: "token0000001" });
          clock.stepWall(10);
          assert.equal((await take(store, limit, { token: "token0000002" })).allowed, true, limit.kind);
          clock.stepWall(-backMs);
          const { allowed } = await take(store, limit, { token: "token0000003" });
          assert.equal(allowed, false, `${limit.kind} after a step of ${backMs} ms`);
        }
      }
    },
  },
  {
    title: "a clock that steps back for good locks nobody out for longer than three windows",
    async check(store, { clock }) {
      for (const limit of limits) {
        for (const backMs of [500, 1500, 86_400_000]) {
          await take(store, limit, { cost: 4, token: "token0000001" });
          clock.stepWall(-backMs);
          for (let call = 0; call < 6; call += 1) {
            await take(store, limit, { token: "token0000002" });
            clock.stepWall(500);
          }
          const { remaining } = first(await take(store, limit, { spend: false, token: "token0000003" }));
          assert.ok(remaining > 0, `${limit.kind} after a step of ${backMs} ms`);
          clock.stepWall(10_000_000_000);
        }
      }
    },
  },
  {
    title: "a clock that jumps to and fro mints no budget",
    async check(store, { clock }) {
      for (const limit of limits.filter(({ kind }) => kind === "bucket" || kind === "sliding-log")) {
        let passed = 0;
        for (let jump = 0; jump < 20; jump += 1) {
          passed += (await take(store, limit)).allowed ? 1 : 0;
          clock.stepWall(jump % 2 === 0 ? -200 : 200);
        }
        assert.equal(passed, 4, limit.kind);
        clock.stepWall(10_000_000_000);
      }
    },
  },
];
