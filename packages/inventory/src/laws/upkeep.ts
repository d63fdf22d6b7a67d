import { expectStock, newId, same, stocked, type InventoryLaw } from "./subject.ts";

export const upkeepLaws: readonly InventoryLaw[] = [
  {
    title: "history that was added up, archived and purged is still accounted for",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 2 }] });
      await inventory.confirm(id);
      await subject.pass(10_000);
      same("nothing is covered yet", await inventory.archive(5000), 0);
      await inventory.checkpoint();
      await inventory.restock({ productId: "a", quantity: 1, key: "later" });
      same(
        "archived",
        [await inventory.archive(5000, 2), await inventory.archive(5000), await inventory.archive(5000)],
        [2, 1, 0],
      );
      await expectStock(inventory, { a: 9 });
      const known = await inventory.restock({ productId: "a", quantity: 10, key: "first a" });
      same("an archived key", known.status, "duplicate");
      same("purged", await inventory.purge(5000), { movements: 3, reservations: 1, events: 2 });
      same("forgotten", await inventory.get(id), undefined);
      await expectStock(inventory, { a: 9, b: 5 });
      await inventory.checkpoint();
      await inventory.adjust({ productId: "b", quantity: -1, key: "count" });
      await expectStock(inventory, { a: 9, b: 4 });
    },
  },
  {
    title: "events that nobody takes are purged when they are old, the oldest first, and no newer ones",
    async check(subject) {
      const inventory = await stocked(subject);
      await subject.pass(10_000);
      await inventory.restock({ productId: "c", quantity: 1, key: "c" });
      same("the oldest", (await inventory.purge(5000, 1)).events, 1);
      same("the rest of the old ones", (await inventory.purge(5000)).events, 1);
      same("no more", (await inventory.purge(5000)).events, 0);
      const left: string[] = [];
      await inventory.deliver(async (_tx, events) => void left.push(...events.map(({ productId }) => productId)));
      same("left", left, ["c"]);
    },
  },
  {
    title: "open holds are never purged",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 2 }] });
      await subject.pass(86_400_000);
      same("purged", await inventory.purge(1000), { movements: 0, reservations: 0, events: 2 });
      await expectStock(inventory, { a: 8 });
    },
  },
];
