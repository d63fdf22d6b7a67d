import type { Random } from "@sluice/core";

import { createInventory, type Inventory } from "../inventory.ts";
import { memoryStore } from "../memory.ts";
import { newId, same, ttlMs, type InventoryLaw } from "./subject.ts";

const products = ["a", "b", "c"];
const steps = 250;

/** One thing that a workload does, with the same arguments to whoever it is asked of. */
type Step = (inventory: Inventory<unknown>) => Promise<unknown>;

export const workloadLaws: readonly InventoryLaw[] = [
  {
    title: "a random history answers as the exact model does, and leaves the same stock",
    async check({ store, pass }, { random }) {
      let nowMs = Date.UTC(2026, 0, 1);
      const clock = { now: () => nowMs, monotonic: () => nowMs, schedule: () => ({ cancel: () => undefined }) };
      const model = createInventory<unknown>({ store: memoryStore({ clock }), reservationTtlMs: ttlMs });
      const subject = createInventory({ store, reservationTtlMs: ttlMs });
      const ids: string[] = [];
      for (let number = 0; number < steps; number += 1) {
        if (random.float() < 0.05) {
          // More than any test takes, so that a deadline is never nearly passed.
          nowMs += ttlMs / 3;
          await pass(ttlMs / 3);
          continue;
        }
        const step = randomStep(random, ids);
        same(`step ${number}`, plain(await step(subject)), plain(await step(model)));
      }
      same("stock", await stockOf(subject), await stockOf(model));
      same("violations", await subject.verify(), []);
    },
  },
  {
    title: "whatever happens at once, nothing is sold twice and nothing is lost",
    async check({ store }, { random }) {
      const inventory = createInventory({ store, reservationTtlMs: ttlMs });
      for (const productId of products) await inventory.restock({ productId, quantity: 20, key: `first ${productId}` });
      const ids: string[] = [];
      const works = Array.from({ length: 8 }, async () => {
        for (let number = 0; number < 15; number += 1) await randomStep(random, ids)(inventory);
      });
      await Promise.all(works);
      same("violations", await inventory.verify(), []);
    },
  },
];

async function stockOf(inventory: Inventory<unknown>): Promise<unknown> {
  return (await inventory.levels(products)).map(({ productId, onHand, reserved }) => [productId, onHand, reserved]);
}

function randomStep(random: Random, ids: string[]): Step {
  const productId = products[random.integer(0, products.length)] ?? "a";
  const quantity = random.integer(1, 6);
  const some = Array.from({ length: random.integer(1, 4) }, () => ids[random.integer(0, ids.length || 1)] ?? newId());
  const [known = newId()] = some;
  const key = `key ${random.integer(0, 12)}`;
  const id = random.float() < 0.2 ? known : newId();
  const lines = Array.from({ length: random.integer(1, 4) }, () => ({
    productId: products[random.integer(0, products.length)] ?? "a",
    quantity: random.integer(1, 5),
  }));
  ids.push(id);
  const batch = {
    productId,
    ttlMs,
    requests: [...new Set([id, newId(), known])].map((each) => ({ id: each, quantity })),
  };
  const choices: readonly Step[] = [
    (inventory) => inventory.reserve({ id, lines }),
    (inventory) =>
      inventory.reserve({ id, lines: [{ productId, quantity }], replaces: known === id ? newId() : known }),
    (inventory) => inventory.reserveWithOptimisticLock({ id, lines }),
    (inventory) => inventory.reserveWithOptimisticLock({ id, lines, ...(known !== id && { replaces: known }) }),
    (inventory) => inventory.transaction([productId], (tx) => inventory.reserve({ id, lines }, tx)),
    (inventory) => inventory.flash().reserve({ id: batch.requests[0]?.id ?? id, lines: [{ productId, quantity }] }),
    (inventory) => inventory.confirm(some),
    (inventory) => inventory.release(some),
    (inventory) => inventory.extend(known, ttlMs),
    (inventory) => inventory.expire(),
    (inventory) => inventory.restock({ productId, quantity, key }),
    (inventory) => inventory.adjust({ productId, quantity: -quantity, key }),
    (inventory) => inventory.get(known),
    (inventory) => inventory.checkpoint(),
    (inventory) => inventory.archive(ttlMs / 6),
  ];
  return choices[random.integer(0, choices.length)] ?? ((inventory) => inventory.expire());
}

/** An answer without moments, which differ by what the test takes, and versions, of which only the order is promised. */
function plain(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(plain);
  if (typeof answer !== "object" || answer === null) return answer;
  const members = Object.entries(answer).filter(([name]) => name !== "expiresAtMs" && name !== "version");
  return Object.fromEntries(
    members.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => [name, plain(value)]),
  );
}
