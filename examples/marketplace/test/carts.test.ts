import { createFakeClock } from "@sluice/testing";
import { runLaws } from "@sluice/testing/vitest";
import { describe, expect, it } from "vitest";

import { memoryCarts } from "../src/modules/carts/memory-store.ts";
import { cartStoreLaws, fewLines } from "./support/cart-laws.ts";

const bounds = { ttlMs: 1000, mostLines: fewLines, mostCarts: 100 };

runLaws("carts in a process", cartStoreLaws, ({ clock }) => memoryCarts({ ...bounds, clock }));

describe("carts in a process", () => {
  it("are kept for their time after the last change, and not after a read", async () => {
    const clock = createFakeClock();
    const carts = memoryCarts({ ...bounds, clock });
    const pump = { lines: new Map([["pump", 1]]), anew: false };
    await carts.change("ada", pump);
    await clock.advance(600);
    await carts.change("ada", pump);
    await clock.advance(999);
    expect((await carts.read("ada")).size).toBe(1);
    // The clock has fractions of a millisecond.
    await clock.advance(2);
    expect((await carts.read("ada")).size).toBe(0);
    // What has expired does not count as there.
    expect(await carts.change("ada", { lines: new Map([["hose", 1]]), anew: false })).toEqual(new Map([["hose", 1]]));
  });

  it("are so many at most: the one that was changed longest ago goes", async () => {
    const carts = memoryCarts({ ...bounds, clock: createFakeClock(), mostCarts: 2 });
    const change = (user: string) => carts.change(user, { lines: new Map([["pump", 1]]), anew: false });
    for (const user of ["ada", "bola", "ada", "chidi"]) await change(user);
    const sizes = await Promise.all(["ada", "bola", "chidi"].map(async (user) => (await carts.read(user)).size));
    expect(sizes).toEqual([1, 0, 1]);
  });
});
