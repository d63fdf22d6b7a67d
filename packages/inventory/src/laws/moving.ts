import type { StockEvent } from "../reservation.ts";
import { expectStock, newId, same, stocked, type InventoryLaw } from "./subject.ts";

const failing = (): Promise<void> => Promise.reject(new Error("mail is down"));

export const movingLaws: readonly InventoryLaw[] = [
  {
    title: "a movement happens once per key, and the key is of that movement alone",
    async check(subject) {
      const inventory = await stocked(subject);
      const truck = { productId: "a", quantity: 5, key: "truck 7" };
      const results = await Promise.all([1, 2, 3].map(() => inventory.restock(truck)));
      same("statuses", results.map(({ status }) => status).toSorted(), ["applied", "duplicate", "duplicate"]);
      same("other quantity", (await inventory.restock({ ...truck, quantity: 6 })).status, "conflict");
      same("other product", (await inventory.restock({ ...truck, productId: "b" })).status, "conflict");
      same("another kind", (await inventory.adjust(truck)).status, "applied");
      await expectStock(inventory, { a: 20, b: 5 });
    },
  },
  {
    title: "a count takes no unit that is reserved, and none of a product that is unknown",
    async check(subject) {
      const inventory = await stocked(subject);
      await inventory.reserve({ id: newId(), lines: [{ productId: "a", quantity: 4 }] });
      const refused = await inventory.adjust({ productId: "a", quantity: -7, key: "count 1" });
      same("refused", refused.status, "refused");
      same(
        "again with its key",
        (await inventory.adjust({ productId: "a", quantity: -6, key: "count 1" })).status,
        "applied",
      );
      const most = { productId: "a", quantity: Number.MAX_SAFE_INTEGER, key: "flood" };
      same("too many", (await inventory.restock(most)).status, "refused");
      same("unknown", (await inventory.adjust({ productId: "c", quantity: 1, key: "c" })).status, "unknown_product");
      await expectStock(inventory, { a: 0 });
    },
  },
  {
    title: "a threshold that is crossed is told once, in the transaction that crosses it",
    async check(subject) {
      const inventory = await stocked(subject);
      const told = async (): Promise<string[]> => {
        const events: StockEvent[] = [];
        while ((await inventory.deliver(async (_tx, some) => void events.push(...some), 2)) > 0);
        return events.map(({ kind, productId, available }) => `${kind} ${productId} ${available}`);
      };
      await told();
      same("known", await inventory.setLowAt("a", 3), true);
      same("unknown", await inventory.setLowAt("c", 3), false);
      const [id, all] = [newId(), newId()];
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 7 }] });
      same("down", await told(), ["low_stock a 3"]);
      await inventory.reserve({ id: all, lines: [{ productId: "a", quantity: 3 }] });
      same("further down", await told(), []);
      await inventory.release(all);
      same("up from nothing", await told(), ["back_in_stock a 3"]);
      await inventory.confirm(id);
      await inventory.restock({ productId: "a", quantity: 1, key: "one" });
      same("further up", await told(), []);
      await inventory.setLowAt("a", 4);
      same("under the new threshold", await told(), ["low_stock a 4"]);
      await inventory.setLowAt("b", 5);
      same("at the new threshold", await told(), ["low_stock b 5"]);
      const batch = { productId: "a", ttlMs: 1000, requests: [{ id: newId(), quantity: 4 }] };
      await inventory.setLowAt("a", 0);
      await subject.store.reserveBatch(batch);
      same("in a batch", await told(), ["low_stock a 0"]);
      await subject.pass(1001);
      await inventory.expire();
      same("by the reaper", await told(), ["back_in_stock a 4"]);
      const optimistic = { id: newId(), lines: [{ productId: "a", quantity: 4 }] };
      await inventory.reserveWithOptimisticLock(optimistic);
      same("optimistically", await told(), ["low_stock a 0"]);
    },
  },
  {
    title: "an event whose handler throws comes again",
    async check(subject) {
      const inventory = await stocked(subject);
      same("thrown", String(await inventory.deliver(failing).catch(String)), "Error: mail is down");
      const seqs: number[] = [];
      await inventory.deliver(async (_tx, events) => void seqs.push(...events.map(({ seq }) => seq)));
      same("both", seqs.length, 2);
      same(
        "in order",
        seqs.toSorted((one, other) => one - other),
        seqs,
      );
    },
  },
  {
    title: "what is low is listed page by page",
    async check(subject) {
      const inventory = await stocked(subject);
      await inventory.reserve({ id: newId(), lines: [{ productId: "a", quantity: 10 }] });
      await inventory.setLowAt("b", 5);
      const first = await inventory.lowStock({ limit: 1 });
      const second = await inventory.lowStock({ after: first[0]?.productId ?? "", limit: 5 });
      same(
        "products",
        [...first, ...second].map(({ productId, available }) => [productId, available]),
        [
          ["a", 0],
          ["b", 5],
        ],
      );
    },
  },
];
