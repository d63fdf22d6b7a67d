import type { LockAnswer, LockStore } from "./store.ts";

/** A store, and a way to let time pass for it. */
export interface LockSubject {
  readonly store: LockStore;
  /** Lets time pass until the condition holds. */
  readonly eventually: (condition: () => Promise<boolean>) => Promise<void>;
}

/** A sentence that holds for every {@link LockStore}, and the check that tries to refute it. */
export interface LockLaw {
  readonly title: string;
  check(subject: LockSubject): Promise<void>;
}

const leaseMs = 60_000;
const shortMs = 100;

/** What every store must do. Stores without leases, whose locks end with a session, keep all but the last four. */
export const lockLaws: readonly LockLaw[] = [
  {
    title: "one owner has a key, and the next one after it was let go of",
    async check({ store }) {
      verify("granted", (await store.acquire({ keys: ["a"], owner: "1", leaseMs })).granted);
      verify("refused", !(await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
      verify("released", await store.release({ keys: ["a"], owner: "1" }));
      verify("granted to the next", (await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
    },
  },
  {
    title: "of many who ask at once, one gets the key",
    async check({ store }) {
      const owners = Array.from({ length: 50 }, (_, number) => `owner ${number}`);
      const answers = await Promise.all(owners.map((owner) => store.acquire({ keys: ["a"], owner, leaseMs })));
      verify("one grant", answers.filter(({ granted }) => granted).length === 1);
    },
  },
  {
    title: "all keys are taken, or none",
    async check({ store }) {
      await store.acquire({ keys: ["b"], owner: "1", leaseMs });
      verify("refused", !(await store.acquire({ keys: ["a", "b", "c"], owner: "2", leaseMs })).granted);
      verify("a is free", (await store.acquire({ keys: ["a"], owner: "3", leaseMs })).granted);
      verify("c is free", (await store.acquire({ keys: ["c"], owner: "4", leaseMs })).granted);
    },
  },
  {
    title: "an owner that asks again has what it had",
    async check({ store }) {
      const request = { keys: ["a", "b"], owner: "1", leaseMs };
      await store.acquire(request);
      verify("granted again", (await store.acquire(request)).granted);
      verify("once released", await store.release(request));
      verify("it is free", (await store.acquire({ ...request, owner: "2" })).granted);
    },
  },
  {
    title: "nobody lets go of what is another's",
    async check({ store }) {
      await store.acquire({ keys: ["a"], owner: "1", leaseMs });
      verify("nothing released", !(await store.release({ keys: ["a"], owner: "2" })));
      verify("nothing extended", !(await store.extend({ keys: ["a"], owner: "2", leaseMs })));
      verify("still held", !(await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
    },
  },
  {
    title: "a lock that was let go of is not extended",
    async check({ store }) {
      const request = { keys: ["a"], owner: "1", leaseMs };
      await store.acquire(request);
      verify("extended while held", await store.extend(request));
      await store.release(request);
      verify("not extended", !(await store.extend(request)));
      verify("not taken by it", (await store.acquire({ ...request, owner: "2" })).granted);
    },
  },
  {
    title: "letting go twice frees nothing of the next owner's",
    async check({ store }) {
      await store.acquire({ keys: ["a"], owner: "1", leaseMs });
      await store.release({ keys: ["a"], owner: "1" });
      await store.acquire({ keys: ["a"], owner: "2", leaseMs });
      verify("nothing released", !(await store.release({ keys: ["a"], owner: "1" })));
      verify("still held", !(await store.acquire({ keys: ["a"], owner: "3", leaseMs })).granted);
    },
  },
  {
    title: "keys of any shape are kept apart",
    async check({ store }) {
      for (const [number, key] of hostileKeys.entries()) {
        verify(
          `granted: ${key.slice(0, 20)}`,
          (await store.acquire({ keys: [key], owner: `${number}`, leaseMs })).granted,
        );
      }
      for (const key of hostileKeys) {
        verify(`held: ${key.slice(0, 20)}`, !(await store.acquire({ keys: [key], owner: "late", leaseMs })).granted);
      }
    },
  },
  {
    title: "whoever waits is told when a key was let go of",
    async check({ store, eventually }) {
      if (!store.watch) return;
      await store.acquire({ keys: ["a"], owner: "1", leaseMs });
      let calls = 0;
      const watch = store.watch(["a"], Infinity, () => (calls += 1));
      // It may call in vain when it begins, and tells of every release from then on.
      await eventually(async () => {
        const before = calls;
        await store.release({ keys: ["a"], owner: "1" });
        await store.acquire({ keys: ["a"], owner: "1", leaseMs });
        return calls > before;
      });
      watch.close();
    },
  },
  {
    title: "a lease that ends frees the key",
    async check({ store, eventually }) {
      await store.acquire({ keys: ["a"], owner: "1", leaseMs: shortMs });
      await eventually(async () => (await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
      verify("the first has lost it", !(await store.extend({ keys: ["a"], owner: "1", leaseMs })));
    },
  },
  {
    title: "a refusal says when the key is free at the latest",
    async check({ store, eventually }) {
      await store.acquire({ keys: ["a"], owner: "1", leaseMs: shortMs });
      await store.acquire({ keys: ["b"], owner: "other", leaseMs });
      const freeIn = freeInMs(await store.acquire({ keys: ["a"], owner: "2", leaseMs }));
      verify("within the lease", freeIn > 0 && freeIn <= shortMs);
      const both = freeInMs(await store.acquire({ keys: ["a", "b"], owner: "2", leaseMs }));
      verify("the last of those in the way", both > shortMs && both <= leaseMs);
      await eventually(async () => (await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
    },
  },
  {
    title: "an extension begins a new lease on every key",
    async check({ store, eventually }) {
      await store.acquire({ keys: ["a", "b"], owner: "1", leaseMs: shortMs });
      await store.acquire({ keys: ["c"], owner: "other", leaseMs: shortMs });
      verify("extended", await store.extend({ keys: ["a", "b"], owner: "1", leaseMs }));
      await eventually(async () => (await store.acquire({ keys: ["c"], owner: "2", leaseMs })).granted);
      verify("a is held", !(await store.acquire({ keys: ["a"], owner: "2", leaseMs })).granted);
      verify("b is held", !(await store.acquire({ keys: ["b"], owner: "2", leaseMs })).granted);
    },
  },
  {
    title: "an extension that misses one key extends none",
    async check({ store, eventually }) {
      await store.acquire({ keys: ["a"], owner: "1", leaseMs: shortMs });
      await store.acquire({ keys: ["b"], owner: "2", leaseMs });
      verify("refused", !(await store.extend({ keys: ["a", "b"], owner: "1", leaseMs })));
      await eventually(async () => (await store.acquire({ keys: ["a"], owner: "3", leaseMs })).granted);
    },
  },
];

/** The keys of the laws: whatever a store might take for something of its own. */
const hostileKeys = [
  "a",
  "A",
  "a ",
  "{a}",
  "a}{b",
  "*",
  "[a-z]",
  "%",
  "a:b",
  "a\nb",
  "__proto__",
  "constructor",
  "é",
  "e\u0301",
  "😀",
  "'; drop table x; --",
  "x".repeat(512),
];

function freeInMs(answer: LockAnswer): number {
  return answer.granted ? 0 : (answer.freeInMs ?? 0);
}

function verify(what: string, holds: boolean): void {
  if (!holds) throw new Error(`Not so: ${what}.`);
}
