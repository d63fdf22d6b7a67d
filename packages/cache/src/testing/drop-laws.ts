import assert from "node:assert/strict";

import {
  claimOf,
  first,
  keepMs,
  keysOf,
  leaseOf,
  none,
  recordIn,
  recordOf,
  second,
  storeFirst,
  type CacheStoreLaw,
} from "./law-support.ts";

/** What invalidations end, and how they are told. */
export const dropLaws: readonly CacheStoreLaw[] = [
  {
    title: "a drop removes the record, and no load that began before it is stored",
    async check(subject) {
      const { key } = keysOf(subject.prefix);
      await storeFirst(subject);
      const lease = await leaseOf(subject, second, { seen: Buffer.from(first) });
      const droppedMs = await subject.store.drop(key, 0);
      assert.equal(await recordIn(subject), null);
      assert.equal(await subject.store.put({ key, lease, record: recordOf(second), keepMs }), false);
      assert.equal(await recordIn(subject), null);
      assert.equal((await claimOf(subject, first)).state, "granted");
      // What begins now is later than the drop, by the same clock.
      assert.ok(subject.store.now() >= droppedMs);
    },
  },
  {
    title: "a drop that is to settle says so to the next load, for its time",
    async check(subject) {
      const { key } = keysOf(subject.prefix);
      const lease = await leaseOf(subject, first);
      await subject.store.drop(key, keepMs);
      assert.equal(await subject.store.put({ key, lease, record: recordOf(first), keepMs }), false);
      const claimed = await claimOf(subject, second);
      assert.ok(claimed.state === "granted" && claimed.settleMs > 0 && claimed.settleMs <= keepMs);
      await subject.store.drop(key, 20);
      await subject.pass(50);
      const settled = await claimOf(subject, first);
      assert.equal(settled.state === "granted" && settled.settleMs, 0);
    },
  },
  {
    title: "drops and bumps are announced in their order",
    async check({ store, prefix, pass }) {
      if (!store.listen) return;
      const { key, gen, tag } = keysOf(prefix);
      const heard: string[] = [];
      const pushes = await store.listen({
        onPush: (pushed) => void (pushed.includes(prefix) && heard.push(pushed)),
        onDoubt: () => heard.push("doubt"),
      });
      assert.equal(pushes.live, true);
      await store.drop(key, 0);
      await store.bump({ generations: [tag, gen], keepMs });
      await store.bump({ generations: [gen], keepMs, maxStaleMs: 5 });
      for (let waited = 0; heard.length < 4 && waited < 2000; waited += 5) await pass(5);
      assert.deepEqual(heard, [key, tag, gen, gen]);
      await pushes.close();
    },
  },
  {
    title: "many calls of one turn are answered each for itself",
    async check({ store, prefix }) {
      const { gen } = keysOf(prefix);
      const [token = ""] = await store.mint([gen], keepMs);
      const keys = Array.from({ length: 300 }, (_, index) => `${prefix}:k${index}`);
      const holders = keys.map((_, index) => `load${String(index).padStart(8, "0")}`);
      const claims = await Promise.all(
        keys.map((key, index) =>
          store.acquire({ key, holder: holders[index] ?? "", token, leaseMs: keepMs, seen: none }),
        ),
      );
      assert.ok(claims.every(({ state }) => state === "granted"));
      const stored = await Promise.all(
        keys.map((key, index) => {
          const claim = claims[index];
          const lease = claim?.state === "granted" && index % 2 === 0 ? claim.lease : second;
          return store.put({ key, lease, record: recordOf(holders[index] ?? "", String(index)), keepMs });
        }),
      );
      assert.deepEqual(
        stored,
        keys.map((_, index) => index % 2 === 0),
      );
      const snapshots = await Promise.all(keys.map((key) => store.read({ key, generations: [gen] })));
      for (const [index, { record, generations }] of snapshots.entries()) {
        assert.deepEqual(generations, [token]);
        const expected = index % 2 === 0 ? Buffer.from(recordOf(holders[index] ?? "", String(index))) : null;
        assert.deepEqual(record && Buffer.from(record), expected);
      }
    },
  },
];
