import { expectStock, newId, same, stocked, ttlMs, type InventoryLaw } from "./subject.ts";

const two = [{ productId: "a", quantity: 2 }];

export const endingLaws: readonly InventoryLaw[] = [
  {
    title: "a reservation ends once: confirmed units leave the stock, released ones come back",
    async check(subject) {
      const inventory = await stocked(subject);
      const [sold, given] = [newId(), newId()];
      for (const id of [sold, given]) await inventory.reserve({ id, lines: two });
      const missing = newId();
      same("confirmed", await inventory.confirm([sold, missing, sold]), [
        { id: sold, status: "confirmed", changed: true },
        { id: missing, status: "missing", changed: false },
      ]);
      same("released", await inventory.release(given), [{ id: given, status: "released", changed: true }]);
      for (const end of ["confirm", "release"] as const) {
        same("again", await inventory[end]([sold, given]), [
          { id: sold, status: "confirmed", changed: false },
          { id: given, status: "released", changed: false },
        ]);
      }
      const [level] = await inventory.levels(["a"]);
      same("level", [level?.onHand, level?.reserved], [8, 0]);
      await expectStock(inventory, { a: 8 });
    },
  },
  {
    title: "after its deadline a hold cannot be confirmed, even before it was reaped",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      await inventory.reserve({ id, lines: two });
      await subject.pass(ttlMs + 1);
      same("late", await inventory.confirm(id), [{ id, status: "late", changed: false }]);
      same("extension", (await inventory.extend(id, ttlMs)).status, "late");
      same("reaped", await inventory.expire(), 1);
      same("reaped again", await inventory.expire(), 0);
      same("expired", await inventory.confirm(id), [{ id, status: "expired", changed: false }]);
      await expectStock(inventory, { a: 10 });
    },
  },
  {
    title: "a hold that may be confirmed late is, while nobody has reaped it",
    async check(subject) {
      const inventory = await stocked(subject, { lateConfirm: "if-held" });
      const [held, reaped] = [newId(), newId()];
      await inventory.reserve({ id: reaped, lines: two, ttlMs: 1000 });
      await subject.pass(2000);
      await inventory.expire();
      await inventory.reserve({ id: held, lines: two });
      await subject.pass(ttlMs + 1);
      const statuses = (await inventory.confirm([held, reaped])).map(({ status }) => status);
      same("statuses", statuses, ["confirmed", "expired"]);
      await expectStock(inventory, { a: 8 });
    },
  },
  {
    title: "units that have expired are had again for a late confirmation, if they are still there",
    async check(subject) {
      const inventory = await stocked(subject, { lateConfirm: "reacquire" });
      const ids = [newId(), newId()].toSorted();
      for (const id of ids) await inventory.reserve({ id, lines: two });
      await subject.pass(ttlMs + 1);
      await inventory.expire();
      await inventory.reserve({ id: newId(), lines: [{ productId: "a", quantity: 7 }] });
      const statuses = (await inventory.confirm(ids)).map(({ status, changed }) => [status, changed]);
      same("statuses", statuses, [
        ["confirmed", true],
        ["expired", false],
      ]);
      await expectStock(inventory, { a: 1 });
    },
  },
  {
    title: "an extension moves the deadline to later, never to earlier, and not of what has ended",
    async check(subject) {
      const inventory = await stocked(subject);
      const [id, ended] = [newId(), newId()];
      const first = await inventory.reserve({ id, lines: two });
      await inventory.reserve({ id: ended, lines: two });
      await inventory.release(ended);
      const shorter = await inventory.extend(id, 1000);
      const dueMs = "expiresAtMs" in first ? first.expiresAtMs : 0;
      same("not earlier", shorter, { id, status: "extended", expiresAtMs: dueMs });
      await inventory.extend(id, ttlMs * 2);
      same("ended", await inventory.extend(ended, ttlMs), { id: ended, status: "released" });
      const missing = newId();
      same("missing", await inventory.extend(missing, ttlMs), { id: missing, status: "missing" });
      await subject.pass(ttlMs + 1);
      same("nothing is due", await inventory.expire(), 0);
      same("confirmed", (await inventory.confirm(id))[0]?.status, "confirmed");
      await expectStock(inventory, { a: 8 });
    },
  },
  {
    title: "a pass of the reaper ends the oldest holds first, and no more than it was told to",
    async check(subject) {
      const inventory = await stocked(subject);
      const ids = [newId(), newId(), newId()];
      for (const [place, id] of ids.entries()) {
        await inventory.reserve({ id, lines: [{ productId: "a", quantity: 1 }], ttlMs: 3000 - place * 1000 });
      }
      await subject.pass(3001);
      same("ended", await inventory.expire(2), 2);
      const states = await Promise.all(ids.map(async (id) => (await inventory.get(id))?.state));
      same("states", states, ["open", "expired", "expired"]);
      await expectStock(inventory, { a: 9 });
    },
  },
];
