import type { Line } from "../reservation.ts";
import { count, expectStock, newId, same, stocked, ttlMs, ways, type InventoryLaw } from "./subject.ts";

/** Two lines of one product, the second of 3 units. */
function twice(quantity: number): readonly Line[] {
  return [
    { productId: "b", quantity },
    { productId: "b", quantity: 3 },
  ];
}

export const reservingLaws: readonly InventoryLaw[] = [
  {
    title: "what is held nobody else can have, whichever way it is reserved",
    async check(subject) {
      const inventory = await stocked(subject);
      for (const [way, reserve] of ways(inventory)) {
        const id = newId();
        const held = await reserve({ id, lines: [{ productId: "a", quantity: 8 }] });
        same(`${way}: status`, held.status, "reserved");
        const refused = await reserve({ id: newId(), lines: [{ productId: "a", quantity: 3 }] });
        const { status, available, certainty } = { available: -1, certainty: "", ...refused };
        same(`${way}: refusal`, [status, available, certainty], ["sold_out", 2, "verified"]);
        await expectStock(inventory, { a: 2 });
        await inventory.release(id);
      }
    },
  },
  {
    title: "all lines are held, or none",
    async check(subject) {
      const inventory = await stocked(subject);
      const lines = [
        { productId: "a", quantity: 1 },
        { productId: "b", quantity: 6 },
      ];
      for (const [way, reserve] of ways(inventory)) {
        same(way, (await reserve({ id: newId(), lines })).status, "sold_out");
        const unknown = [
          { productId: "a", quantity: 1 },
          { productId: "c", quantity: 1 },
        ];
        same(way, (await reserve({ id: newId(), lines: unknown })).status, "unknown_product");
      }
      await expectStock(inventory, { a: 10, b: 5 });
    },
  },
  {
    title: "lines of one product are added up before they are weighed",
    async check(subject) {
      const inventory = await stocked(subject);
      for (const [way, reserve] of ways(inventory)) {
        same(way, (await reserve({ id: newId(), lines: twice(3) })).status, "sold_out");
        const id = newId();
        same(way, (await reserve({ id, lines: twice(2) })).status, "reserved");
        await expectStock(inventory, { b: 0 });
        await inventory.release(id);
      }
    },
  },
  {
    title: "of many who ask at once, as many get a unit as there are units",
    async check(subject) {
      const inventory = await stocked(subject);
      const reservers = ways(inventory).slice(0, 2);
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, number) => {
          const [, reserve] = reservers[number % reservers.length] ?? [];
          return (reserve ?? ((request) => inventory.reserve(request)))({
            id: newId(),
            lines: [{ productId: "a", quantity: 1 }],
          });
        }),
      );
      same("reserved", count(results, "reserved"), 10);
      same("sold out", count(results, "sold_out"), 20);
      await expectStock(inventory, { a: 0 });
    },
  },
  {
    title: "an id holds once, however often it asks, and in whatever order its lines come",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      const lines = [
        { productId: "a", quantity: 2 },
        { productId: "b", quantity: 1 },
      ];
      const first = await inventory.reserve({ id, lines });
      for (const [way, reserve] of ways(inventory)) {
        const again = await reserve({ id: id.toUpperCase(), lines: lines.toReversed() });
        same(way, again, { ...first, status: "duplicate" });
      }
      await expectStock(inventory, { a: 8, b: 4 });
    },
  },
  {
    title: "an id that asks for something else is a conflict, and gets nothing",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      await inventory.reserve({ id, lines: [{ productId: "a", quantity: 2 }] });
      for (const [way, reserve] of ways(inventory)) {
        same(way, (await reserve({ id, lines: [{ productId: "a", quantity: 1 }] })).status, "conflict");
        same(way, (await reserve({ id, lines: [{ productId: "b", quantity: 2 }] })).status, "conflict");
      }
      await expectStock(inventory, { a: 8, b: 5 });
    },
  },
  {
    title: "one id for different products at once holds one of them",
    async check(subject) {
      const inventory = await stocked(subject);
      for (let round = 0; round < 5; round += 1) {
        const id = newId();
        const results = await Promise.all(
          ["a", "b"].map((productId) => inventory.reserve({ id, lines: [{ productId, quantity: 1 }] })),
        );
        same("statuses", results.map(({ status }) => status).toSorted(), ["conflict", "reserved"]);
        await inventory.release(id);
      }
      await expectStock(inventory, { a: 10, b: 5 });
    },
  },
  {
    title: "an id whose reservation has ended is told how, and holds nothing",
    async check(subject) {
      const inventory = await stocked(subject);
      const lines = [{ productId: "a", quantity: 2 }];
      const id = newId();
      await inventory.reserve({ id, lines });
      await inventory.release(id);
      const late = newId();
      await inventory.reserve({ id: late, lines });
      await subject.pass(ttlMs + 1);
      for (const [way, reserve] of ways(inventory)) {
        same(way, await reserve({ id, lines }), { status: "already_resolved", id, state: "released" });
        same(way, await reserve({ id: late, lines }), { status: "already_resolved", id: late, state: "expired" });
      }
      const batch = { productId: "a", ttlMs, requests: [id, late].map((each) => ({ id: each, quantity: 2 })) };
      const { decisions } = await subject.store.reserveBatch(batch);
      same(
        "batch",
        decisions.map(({ outcome }) => outcome),
        ["released", "expired"],
      );
    },
  },
  {
    title: "a buyer who replaces a hold is not in their own way, and keeps it if the new one cannot be had",
    async check(subject) {
      const inventory = await stocked(subject);
      for (const [way, reserve] of ways(inventory)) {
        const [old, next] = [newId(), newId()];
        const lines = [{ productId: "b", quantity: 4 }];
        await inventory.reserve({ id: old, lines });
        const tooMany = { id: newId(), replaces: old, lines: [{ productId: "b", quantity: 6 }] };
        same(`too many, ${way}`, (await reserve(tooMany)).status, "sold_out");
        same(`kept, ${way}`, (await inventory.get(old))?.state, "open");
        const more = [
          { productId: "a", quantity: 1 },
          { productId: "b", quantity: 5 },
        ];
        const wanted = { id: next, replaces: old, lines: more };
        same(`replaced, ${way}`, (await reserve(wanted)).status, "reserved");
        same(`asked for again, ${way}`, (await reserve(wanted)).status, "duplicate");
        same(`let go of, ${way}`, (await inventory.get(old))?.state, "released");
        await expectStock(inventory, { a: 9, b: 0 });
        const fewer = { id: newId(), replaces: next, lines: [{ productId: "a", quantity: 1 }] };
        same(`only given back of one, ${way}`, (await reserve(fewer)).status, "reserved");
        await expectStock(inventory, { a: 9, b: 5 });
        const stale = { id: newId(), replaces: next, lines };
        same(`replaced before, ${way}`, (await reserve(stale)).status, "reserved");
        await expectStock(inventory, { a: 9, b: 1 });
        await inventory.release([fewer.id, stale.id]);
      }
      await expectStock(inventory, { a: 10, b: 5 });
    },
  },
  {
    title: "a batch is granted in its order, and whoever does not fit lets the others by",
    async check(subject) {
      const inventory = await stocked(subject);
      const [known, other] = [newId(), newId()];
      await inventory.reserve({ id: known, lines: [{ productId: "a", quantity: 1 }] });
      await inventory.reserve({ id: other, lines: [{ productId: "b", quantity: 1 }] });
      const requests = [
        { id: newId(), quantity: 4 },
        { id: known, quantity: 1 },
        { id: newId(), quantity: 900 },
        { id: other, quantity: 1 },
        { id: newId(), quantity: 5 },
        { id: newId(), quantity: 1 },
      ];
      const { decisions, level } = await subject.store.reserveBatch({ productId: "a", ttlMs, requests });
      const outcomes = ["reserved", "duplicate", "sold_out", "conflict", "reserved", "sold_out"];
      same(
        "outcomes",
        decisions.map(({ outcome }) => outcome),
        outcomes,
      );
      same("level", level?.available, 0);
      const unknown = await subject.store.reserveBatch({ productId: "c", ttlMs, requests });
      same(
        "unknown",
        unknown.decisions.every(({ outcome }) => outcome === "unknown_product"),
        true,
      );
      await expectStock(inventory, { a: 0, b: 4 });
    },
  },
  {
    title: "what belongs to a batch is written with it, or neither is there",
    async check(subject) {
      const inventory = await stocked(subject);
      const requests = [
        { id: newId(), quantity: 9 },
        { id: newId(), quantity: 9 },
      ];
      const batch = { productId: "a", ttlMs, requests };
      const seen: string[] = [];
      await subject.store
        .reserveBatch(batch, async (_tx, reserved) => {
          seen.push(...reserved.map(({ id }) => id));
          throw new Error("no order");
        })
        .catch((error: unknown) => seen.push(String(error)));
      same("seen", seen, [requests[0]?.id, "Error: no order"]);
      await expectStock(inventory, { a: 10 });
    },
  },
  {
    title: "what belongs to one reservation is written with it, or neither is there",
    async check(subject) {
      const inventory = await stocked(subject);
      const wanted = { lines: [{ productId: "a", quantity: 9 }], ttlMs, reference: undefined, replaces: undefined };
      let written = 0;
      const write = async (tx: unknown): Promise<void> => {
        written += 1;
        await inventory.restock({ productId: "b", quantity: 1, key: "written" }, tx);
        if (written === 1) throw new Error("no order");
      };
      const attempt = (id: string): Promise<unknown> =>
        subject.store.reserveWith({ ...wanted, id }, write).then(({ outcome }) => outcome, String);
      const [id, late] = [newId(), newId()];
      same("thrown", await attempt(id), "Error: no order");
      await expectStock(inventory, { a: 10, b: 5 });
      same("then", await attempt(id), "reserved");
      same("again", [await attempt(id), await attempt(late)], ["duplicate", "sold_out"]);
      same("written", written, 2);
      await expectStock(inventory, { a: 1, b: 6 });
    },
  },
  {
    title: "what was done in a transaction that throws was not done",
    async check(subject) {
      const inventory = await stocked(subject);
      const id = newId();
      const work = inventory.transaction(["a"], async (tx) => {
        await inventory.reserve({ id, lines: [{ productId: "a", quantity: 3 }] }, tx);
        await inventory.confirm(id, tx);
        await inventory.restock({ productId: "a", quantity: 7, key: "undone" }, tx);
        throw new Error("no");
      });
      same("thrown", await work.catch(String), "Error: no");
      same("gone", await inventory.get(id), undefined);
      await expectStock(inventory, { a: 10 });
    },
  },
];
