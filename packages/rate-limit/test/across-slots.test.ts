import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { named } from "../src/field.ts";
import { concurrency, memoryStore, window } from "../src/index.ts";
import { decideAcrossSlots } from "../src/redis/across-slots.ts";
import type { Ask } from "../src/store.ts";

describe("a decision across hash slots", () => {
  it("whose later step fails holds nothing of the earlier ones", async () => {
    const store = memoryStore({ clock: createFakeClock() });
    const slots = named(concurrency({ limit: 1, lease: "1h" }), "slots");
    const hits = named(window({ limit: 1000, per: "1m" }), "hits");
    const first: readonly Ask[] = [{ key: "one", limit: slots, cost: 1, token: "token0000001" }];
    const later: readonly Ask[] = [{ key: "other", limit: hits, cost: 1 }];
    const decided = decideAcrossSlots([...first, ...later], [first, later], {
      takeOptions: { spend: true },
      async decide(asks, options) {
        if (asks === later) throw new Error("away");
        return store.take(asks, options);
      },
      adjust: async (key, changes) => store.adjust(key, changes),
    });
    await expect(decided).rejects.toThrow("away");
    expect((await store.inspect("one")).counters).toEqual([]);
  });
});
