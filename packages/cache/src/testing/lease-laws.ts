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
  tokenFor,
  type CacheStoreLaw,
} from "./law-support.ts";

/** Who may store. */
export const leaseLaws: readonly CacheStoreLaw[] = [
  {
    title: "one load has the lease at a time, and may ask twice",
    async check(subject) {
      const lease = await leaseOf(subject, first);
      assert.deepEqual(await claimOf(subject, first), { state: "granted", lease, settleMs: 0 });
      const held = await claimOf(subject, second);
      assert.ok(held.state === "held" && held.holder === first && held.leftMs > 0 && held.leftMs <= keepMs);
    },
  },
  {
    title: "a load that stands on a newer generation takes the lease over, an older one does not",
    async check(subject) {
      const { key, gen } = keysOf(subject.prefix);
      const older = await tokenFor(subject);
      const lost = await leaseOf(subject, first, { token: older });
      const newer = await subject.store.bump({ generations: [gen], keepMs });
      const lease = await leaseOf(subject, second, { token: newer });
      assert.equal((await claimOf(subject, first, { token: older })).state, "held");
      assert.equal(await subject.store.put({ key, lease: lost, record: recordOf(first), keepMs }), false);
      assert.equal(await subject.store.put({ key, lease, record: recordOf(second), keepMs }), true);
    },
  },
  {
    title: "a lease is refused when the record is not the one that was seen",
    async check(subject) {
      await storeFirst(subject);
      assert.deepEqual(await claimOf(subject, second), { state: "changed" });
      assert.equal((await claimOf(subject, second, { seen: Buffer.from(first) })).state, "granted");
    },
  },
  {
    title: "a record is stored by the load that has the lease, and ends it",
    async check(subject) {
      const { key } = keysOf(subject.prefix);
      const record = recordOf(first, '"\u0000\u00ff\r\n"');
      const lease = await leaseOf(subject, first);
      await subject.store.release(key, first);
      assert.equal(await subject.store.put({ key, lease, record, keepMs }), false);
      const again = await leaseOf(subject, first);
      assert.equal(await subject.store.put({ key, lease, record, keepMs }), false);
      assert.equal(await subject.store.put({ key, lease: again, record, keepMs }), true);
      assert.deepEqual(Buffer.from((await recordIn(subject)) ?? none), Buffer.from(record));
      // As a client that resends would.
      assert.equal(await subject.store.put({ key, lease: again, record, keepMs }), false);
      assert.equal((await claimOf(subject, second, { seen: Buffer.from(first) })).state, "granted");
    },
  },
  {
    title: "a lease that is renewed lasts, and one that was taken away cannot be",
    async check(subject) {
      const { store, prefix, pass } = subject;
      const { key } = keysOf(prefix);
      const lease = await leaseOf(subject, first, { leaseMs: 30 });
      assert.equal(await store.renew(key, lease, keepMs), true);
      await pass(60);
      assert.equal((await claimOf(subject, second)).state, "held");
      await store.drop(key, 0);
      assert.equal(await store.renew(key, lease, keepMs), false);
      assert.equal((await claimOf(subject, second)).state, "granted");
    },
  },
  {
    title: "a lease ends by its time, and by its load alone",
    async check(subject) {
      const { store, prefix, pass } = subject;
      const { key } = keysOf(prefix);
      await claimOf(subject, first, { leaseMs: 30 });
      await store.release(key, second);
      assert.equal((await claimOf(subject, second)).state, "held");
      await pass(60);
      assert.equal((await claimOf(subject, second)).state, "granted");
      await store.release(key, second);
      assert.equal((await claimOf(subject, first)).state, "granted");
    },
  },
  {
    title: "a record is gone after its time",
    async check(subject) {
      const { key } = keysOf(subject.prefix);
      const lease = await leaseOf(subject, first);
      await subject.store.put({ key, lease, record: recordOf(first), keepMs: 30 });
      await subject.pass(60);
      assert.equal(await recordIn(subject), null);
    },
  },
];
