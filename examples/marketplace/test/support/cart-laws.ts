import assert from "node:assert/strict";

import type { Law } from "@sluice/testing";

import type { CartStore } from "../../src/modules/carts/store.ts";

/** The bound of the stores that the laws are checked on. */
export const fewLines = 3;

let users = 0;

/** Somebody without a cart. */
function somebody(): string {
  users += 1;
  return `${process.pid}-${performance.timeOrigin}-${users}`;
}

function put(store: CartStore, user: string, lines: Readonly<Record<string, number>>) {
  return store.change(user, { lines: new Map(Object.entries(lines)), anew: false });
}

async function held(store: CartStore, user: string): Promise<Record<string, number>> {
  return Object.fromEntries(await store.read(user));
}

/** What every store of carts keeps to. */
export const cartStoreLaws: readonly Law<CartStore>[] = [
  {
    title: "a cart that nobody has filled is empty",
    async check(store) {
      assert.deepEqual(await held(store, somebody()), {});
    },
  },
  {
    title: "a change answers the cart that a read then finds",
    async check(store) {
      const user = somebody();
      await put(store, user, { pump: 1, hose: 2 });
      const answered = await put(store, user, { hose: 5 });
      assert.deepEqual(Object.fromEntries(answered ?? []), { pump: 1, hose: 5 });
      assert.deepEqual(await held(store, user), { pump: 1, hose: 5 });
    },
  },
  {
    title: "a change that arrives twice counts once",
    async check(store) {
      const user = somebody();
      for (let time = 0; time < 2; time += 1) await put(store, user, { pump: 2, hose: 0 });
      assert.deepEqual(await held(store, user), { pump: 2 });
      const contents = { lines: new Map([["hose", 4]]), anew: true };
      for (let time = 0; time < 2; time += 1) await store.change(user, contents);
      assert.deepEqual(await held(store, user), { hose: 4 });
    },
  },
  {
    title: "a change that would leave too many lines changes nothing",
    async check(store) {
      const user = somebody();
      await put(store, user, { a: 1, b: 1, c: 1 });
      assert.equal(await put(store, user, { a: 9, d: 1 }), undefined);
      const tooMany = new Map(["w", "x", "y", "z"].map((id) => [id, 1]));
      assert.equal(await store.change(user, { lines: tooMany, anew: true }), undefined);
      assert.deepEqual(await held(store, user), { a: 1, b: 1, c: 1 });
    },
  },
  {
    title: "a full cart takes another quantity, and another product for one that goes",
    async check(store) {
      const user = somebody();
      await put(store, user, { a: 1, b: 1, c: 1 });
      assert.ok(await put(store, user, { a: 7 }));
      assert.ok(await put(store, user, { d: 1, b: 0 }));
      assert.deepEqual(await held(store, user), { a: 7, c: 1, d: 1 });
    },
  },
  {
    title: "a new cart replaces the old one, and an empty one ends it",
    async check(store) {
      const user = somebody();
      await put(store, user, { a: 1, b: 1 });
      await store.change(user, { lines: new Map([["c", 2]]), anew: true });
      assert.deepEqual(await held(store, user), { c: 2 });
      await store.change(user, { lines: new Map(), anew: true });
      assert.deepEqual(await held(store, user), {});
    },
  },
  {
    title: "a cart is its owner's alone",
    async check(store) {
      const [one, other] = [somebody(), somebody()];
      await put(store, one, { a: 1 });
      await put(store, other, { b: 1 });
      await store.change(other, { lines: new Map(), anew: true });
      assert.deepEqual(await held(store, one), { a: 1 });
    },
  },
  {
    title: "changes at once all count",
    async check(store) {
      const user = somebody();
      await Promise.all(["a", "b", "c"].map((id) => put(store, user, { [id]: 1 })));
      assert.deepEqual(await held(store, user), { a: 1, b: 1, c: 1 });
    },
  },
];
