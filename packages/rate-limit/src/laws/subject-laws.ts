import assert from "node:assert/strict";

import { bucket, fixedWindow, slidingLog, strictWindow, window } from "../limit.ts";
import { byAction, byIp, byKey, bySecret, byUser } from "../subject.ts";
import { admitted, assertExactWait, first, limitOf, take, type StoreLaw } from "./law.ts";

const limit = limitOf(window({ name: "law", limit: 3, per: "1m" }));
const other = limitOf(window({ name: "other", limit: 3, per: "1m" }));

const hostile = [
  "*",
  "a*",
  "[a-z]",
  "{42}",
  "{",
  "}",
  "a\nb",
  "a\0b",
  "a:b",
  "a b",
  "__proto__",
  "constructor",
  "é",
  "💥",
];

/** Who is counted, who is blocked, and for whom another limit holds. */
export const subjectLaws: readonly StoreLaw[] = [
  {
    title: "subjects with hostile names are counted apart, and resetting one leaves the others",
    async check(store) {
      const ids = [...hostile, "x".repeat(10_240), `${"x".repeat(10_240)}y`, "\uD800", "#", "%"];
      const keys = ids.flatMap((id) => [byUser(id).key, byKey(id).key, bySecret(id).key, byAction(id, "buy").key]);
      keys.push(byIp("203.0.113.7").key, byIp("2001:db8:1:2::/64").key, byIp(undefined).key);
      assert.equal(new Set(keys).size, keys.length);
      for (const key of keys) for (let call = 0; call < 3; call += 1) await take(store, limit, { key });
      await store.reset(byUser("*").key);
      for (const key of keys) {
        const { remaining } = first(await take(store, limit, { key, spend: false }));
        assert.equal(remaining, key === byUser("*").key ? 3 : 0, key);
      }
    },
  },
  {
    title: "a blocked subject is denied everything until the block ends, and spends nothing",
    async check(store, { clock }) {
      await store.mark("subject", { kind: "block", forMs: 5000 });
      const { allowed, blockedMs } = await take(store, [limit, other]);
      assert.deepEqual([allowed, blockedMs], [false, 5000]);
      clock.stepWall(4999);
      assert.equal((await take(store, limit)).allowed, false);
      clock.stepWall(1);
      const after = await take(store, limit);
      assert.deepEqual([after.allowed, after.blockedMs, first(after).remaining], [true, 0, 2]);
      await store.mark("subject", { kind: "block", forMs: 5000 });
      await store.mark("subject", { kind: "block", forMs: 0 });
      assert.equal((await take(store, limit)).allowed, true);
    },
  },
  {
    title: "a block holds whatever the subject has spent, at limits known and new, until it is lifted",
    async check(store) {
      const tokens = limitOf(bucket({ name: "tokens", capacity: 3, refill: 1, every: "1m" }));
      const spent = await take(store, [limit, tokens]);
      const block = (forMs: number) => store.mark("subject", { kind: "block", forMs });
      await block(60_000);
      const change = { delta: -1, booked: 1, atMs: spent.atMs, stamp: first(spent).stamp };
      await store.adjust("subject", [
        { ...change, limit },
        { ...change, limit: tokens, stamp: 0 },
      ]);
      for (const limits of [[limit], [tokens], [other], [limit, tokens], [limit, other]]) {
        for (const spend of [true, false, true]) {
          assert.equal((await take(store, limits, { spend })).allowed, false, limits.map(({ name }) => name).join("+"));
        }
      }
      await block(0);
      for (const each of [limit, tokens, other]) assert.equal(await admitted(store, each, 5), 3, each.name);
      await block(60_000);
      const fresh = [
        limitOf(window({ name: "a", limit: 3, per: "1m" })),
        limitOf(window({ name: "b", limit: 3, per: "1m" })),
      ];
      assert.equal((await take(store, fresh)).allowed, false);
    },
  },
  {
    title: "an override holds at once, for one limit of one subject, and ends by itself",
    async check(store, { clock }) {
      assert.equal(await admitted(store, [limit, other], 5), 3);
      await store.mark("subject", { kind: "override", name: "law", limit: 5, refill: 0, forMs: 30_000 });
      assert.equal(await admitted(store, limit, 5), 2);
      assert.equal(first(await take(store, limit)).limit, 5);
      assert.equal(await admitted(store, other, 5), 0);
      assert.equal(first(await take(store, limit, { key: "stranger" })).limit, 3);
      clock.stepWall(30_000);
      assert.equal(first(await take(store, limit)).limit, 3);
    },
  },
  {
    title: "an override may be lower, may be replaced, and is gone when it is lifted",
    async check(store, { clock }) {
      const mark = (most: number, forMs = 600_000) =>
        store.mark("subject", { kind: "override", name: "law", limit: most, refill: 0, forMs });
      await mark(1);
      assert.equal(await admitted(store, limit, 5), 1);
      await assertExactWait(store, limit, { clock });
      await mark(2);
      assert.equal(first(await take(store, limit, { spend: false })).limit, 2);
      await mark(0, 0);
      assert.equal(first(await take(store, limit, { spend: false })).limit, 3);
    },
  },
  {
    title: "an override of a bucket changes how fast it fills, and keeps what is missing",
    async check(store, { clock }) {
      const tokens = limitOf(bucket({ name: "law", capacity: 10, refill: 1, every: "1s" }));
      await take(store, tokens, { cost: 10 });
      await store.mark("subject", { kind: "override", name: "law", limit: 20, refill: 5, forMs: 600_000 });
      assert.equal(first(await take(store, tokens, { spend: false })).remaining, 10);
      clock.stepWall(1000);
      assert.equal(first(await take(store, tokens, { spend: false })).remaining, 15);
    },
  },
  {
    title: "a block and overrides do not disturb each other",
    async check(store) {
      await store.mark("subject", { kind: "override", name: "law", limit: 5, refill: 0, forMs: 60_000 });
      await store.mark("subject", { kind: "block", forMs: 5000 });
      await store.mark("subject", { kind: "override", name: "other", limit: 7, refill: 0, forMs: 60_000 });
      const blocked = await take(store, [limit, other]);
      assert.deepEqual([blocked.allowed, blocked.limits.map((each) => each.limit)], [false, [5, 7]]);
      await store.reset("subject");
      const free = await take(store, [limit, other]);
      assert.deepEqual([free.allowed, free.limits.map((each) => each.limit)], [true, [5, 7]]);
    },
  },
  {
    title: "a reset forgets the limits that it names, or all of them",
    async check(store) {
      assert.equal(await admitted(store, [limit, other], 5), 3);
      await store.reset("subject", [limit]);
      assert.equal(await admitted(store, limit, 5), 3);
      assert.equal(await admitted(store, other, 5), 0);
      await store.reset("subject");
      assert.equal(await admitted(store, [limit, other], 5), 3);
    },
  },
  {
    title: "an inspection shows what is kept: blocks, overrides and what is spent",
    async check(store, { clock }) {
      const kinds = [
        limitOf(window({ name: "w", limit: 9, per: "1m" })),
        limitOf(strictWindow({ name: "s", limit: 9, per: "1m" })),
        limitOf(fixedWindow({ name: "f", limit: 9, per: "1m" })),
        limitOf(slidingLog({ name: "l", limit: 9, per: "1m" })),
        limitOf(bucket({ name: "b", capacity: 9, refill: 1, every: "1m" })),
      ];
      await take(store, kinds, { cost: 4 });
      await store.mark("subject", { kind: "block", forMs: 5000 });
      await store.mark("subject", { kind: "override", name: "w", limit: 5, refill: 0, forMs: 60_000 });
      const { blockedMs, overrides, counters } = await store.inspect("subject");
      assert.deepEqual([blockedMs, overrides], [5000, [{ name: "w", limit: 5, refill: 0, leftMs: 60_000 }]]);
      assert.deepEqual(
        new Set(counters.map(({ name, kind, perMs, spent }) => `${name} ${kind} ${perMs} ${spent}`)),
        new Set(kinds.map(({ name, kind, perMs }) => `${name} ${kind} ${perMs} 4`)),
      );
      clock.stepWall(600_000);
      assert.deepEqual(await store.inspect("subject"), { blockedMs: 0, overrides: [], counters: [] });
      assert.deepEqual(await store.inspect("nobody"), { blockedMs: 0, overrides: [], counters: [] });
    },
  },
];
