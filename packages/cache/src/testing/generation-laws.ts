import assert from "node:assert/strict";

import { stampOf, standing, tokenMs } from "../generation.ts";
import { keepMs, keysOf, type CacheStoreLaw } from "./law-support.ts";

/** How generations are made and replaced. */
export const generationLaws: readonly CacheStoreLaw[] = [
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
    title: "generations beside a record are as they are now, and those of no other read",
    async check({ store, prefix }) {
      const { key, gen, tag } = keysOf(prefix);
      const [one, other] = [await store.mint([gen], keepMs), await store.mint([tag], keepMs)];
      const read = async (generation: string) => (await store.read({ key, generations: [generation] })).generations;
      assert.deepEqual(await Promise.all([read(gen), read(tag), read(gen)]), [one, other, one]);
      assert.deepEqual([await read(tag), await read(gen)], [other, one]);
      const token = await store.bump({ generations: [gen], keepMs });
      assert.deepEqual(await Promise.all([read(gen), read(tag)]), [[token], other]);
      assert.deepEqual(await read(`${gen}:absent`), [null]);
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
