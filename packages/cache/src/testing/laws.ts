import assert from "node:assert/strict";

import { stampOf, standing, tokenMs } from "../generation.ts";
import { encodeRecord } from "../record.ts";
import type { CacheStore, Claim, Claimed } from "../store.ts";

/** A store to check, and what a law needs besides. */
export interface CacheStoreSubject {
  readonly store: CacheStore;
  /** Begins every key of this law, so that laws may share a server. Letters, digits and colons. */
  readonly prefix: string;
  /** Lets so much time pass for the store. */
  readonly pass: (ms: number) => Promise<void>;
}

/** A sentence that holds for every store, and the check that tries to refute it. */
export interface CacheStoreLaw {
  readonly title: string;
  check(subject: CacheStoreSubject): Promise<void>;
}

const keepMs = 60_000;
const none = new Uint8Array();

/** A record as a load with this id stores it. */
function recordOf(id: string, payload = "1"): Uint8Array {
  return encodeRecord({
    id,
    packing: "plain",
    negative: false,
    storedMs: 0,
    freshUntilMs: 1,
    loadMs: 1,
    unpackedLength: payload.length,
    identity: "law",
    stamps: "",
    tags: "",
    payload: Buffer.from(payload),
  });
}

const first = "loadAAAAAAAA";
const second = "loadBBBBBBBB";

function keysOf(prefix: string) {
  return { key: `${prefix}:k`, gen: `sl:{${prefix}}:g`, tag: `sl:{${prefix}}:t:1` };
}

async function tokenFor({ store, prefix }: CacheStoreSubject): Promise<string> {
  return (await store.mint([keysOf(prefix).gen], keepMs))[0] ?? "";
}

async function claimOf(subject: CacheStoreSubject, holder: string, rest: Partial<Claim> = {}): Promise<Claimed> {
  const { key } = keysOf(subject.prefix);
  const token = rest.token ?? (await tokenFor(subject));
  return subject.store.acquire({ key, holder, leaseMs: keepMs, seen: none, ...rest, token });
}

async function recordIn({ store, prefix }: CacheStoreSubject): Promise<Uint8Array | null> {
  return (await store.read({ key: keysOf(prefix).key, generations: [] })).record;
}

/** The lease that a load is granted. */
async function leaseOf(subject: CacheStoreSubject, holder: string, rest: Partial<Claim> = {}): Promise<string> {
  const claimed = await claimOf(subject, holder, rest);
  return claimed.state === "granted" ? claimed.lease : assert.fail(`${holder} was not granted: ${claimed.state}`);
}

async function storeFirst(subject: CacheStoreSubject): Promise<void> {
  const lease = await leaseOf(subject, first);
  const { key } = keysOf(subject.prefix);
  assert.equal(await subject.store.put({ key, lease, record: recordOf(first), keepMs }), true);
}

const generationLaws: readonly CacheStoreLaw[] = [
  {
    title: "a generation is absent until it is minted, and then stays as it is",
    async check({ store, prefix }) {
      const { gen, tag } = keysOf(prefix);
      assert.deepEqual((await store.read({ generations: [gen, tag] })).generations, [null, null]);
      const minted = await store.mint([gen], keepMs);
      assert.deepEqual((await store.mint([gen, tag], keepMs))[0], minted[0]);
      const { generations } = await store.read({ generations: [tag, gen] });
      assert.equal(generations[1], minted[0]);
      assert.match(String(generations[0]), /^\d{16}[\w-]{8}$/);
    },
  },
  {
    title: "a bump gives a generation a value that it never had",
    async check({ store, prefix }) {
      const { gen, tag } = keysOf(prefix);
      const seen = new Set(await store.mint([gen], keepMs));
      for (let turn = 0; turn < 20; turn += 1) {
        const token = await store.bump({ generations: [tag, gen], keepMs });
        assert.deepEqual((await store.read({ generations: [gen, tag] })).generations, [token, token]);
        seen.add(token);
      }
      const together = await Promise.all(Array.from({ length: 20 }, () => store.bump({ generations: [gen], keepMs })));
      for (const token of together) seen.add(token);
      assert.equal(seen.size, 41);
    },
  },
  {
    title: "a soft bump lets what stood on the value before be served for its time, and nothing older",
    async check({ store, prefix, pass }) {
      const { gen } = keysOf(prefix);
      const value = async (): Promise<string> => (await store.read({ generations: [gen] })).generations[0] ?? "";
      await store.mint([gen], keepMs);
      const stamps = [stampOf(await value())];
      for (let turn = 0; turn < 2; turn += 1) {
        await store.bump({ generations: [gen], keepMs, maxStaleMs: 40 });
        stamps.push(stampOf(await value()));
      }
      const softened = await value();
      assert.deepEqual(
        stamps.map((stamp) => standing(stamp, softened, tokenMs(stamps[2]?.split("/")[1] ?? ""))),
        ["invalid", "softened", "fresh"],
      );
      await pass(50);
      assert.equal(standing(stamps[1] ?? "", softened, store.now()), "invalid");
      assert.equal(standing(stamps[2] ?? "", softened, store.now()), "fresh");
      const token = await store.bump({ generations: [gen], keepMs });
      assert.equal(await value(), token);
    },
  },
  {
    title: "a generation is gone after its time, unless it was minted again",
    async check({ store, prefix, pass }) {
      const { gen, tag } = keysOf(prefix);
      await store.mint([gen, tag], 30);
      await store.mint([tag], keepMs);
      await pass(60);
      const { generations } = await store.read({ generations: [gen, tag] });
      assert.equal(generations[0], null);
      assert.notEqual(generations[1], null);
    },
  },
];

const leaseLaws: readonly CacheStoreLaw[] = [
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

const dropLaws: readonly CacheStoreLaw[] = [
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

/** What every store must do: run these against a store of your own. */
export const cacheStoreLaws: readonly CacheStoreLaw[] = [...generationLaws, ...leaseLaws, ...dropLaws];
