import { describe, expect, it } from "vitest";

import { memoryStore, type Put } from "../src/index.ts";
import { decodeRecord, encodeRecord, type StoredRecord } from "../src/record.ts";
import { heard, rejection, shop, type Row } from "./support/shop.ts";

/** A store whose records can be watched, and changed on their way into it. */
function tampered() {
  const inner = memoryStore();
  const puts: Put[] = [];
  const damage = { done: (record: Buffer): Buffer => record };
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === "put") {
        return (put: Put) => (puts.push(put), target.put({ ...put, record: damage.done(Buffer.from(put.record)) }));
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { store, puts, damage };
}

class Price {
  readonly amount = 1;
}

/** A record with all of its parts. */
function headOf(bytes: Buffer): StoredRecord | undefined {
  const record = decodeRecord(bytes);
  if (!record) return undefined;
  const { id, packing, negative, storedMs, freshUntilMs, loadMs, unpackedLength, identity, stamps, tags, payload } =
    record;
  return { id, packing, negative, storedMs, freshUntilMs, loadMs, unpackedLength, identity, stamps, tags, payload };
}

/** A load of a row with such an id. */
function rowOf(id: string): { load: () => Row } {
  return { load: () => ({ id, version: 1 }) };
}

/** A load of a row with more in it. */
function more(members: object): { load: () => Row } {
  return { load: () => ({ id: "a", version: 1, ...members }) };
}

/** What a value's own code may do. */
function secret(): never {
  throw new Error("the secret");
}

describe("a value", () => {
  it("comes back the first time as it will come back later", async () => {
    const here = shop();
    const first = await here.rows.get("a", more({ at: new Date(0), gone: undefined }));
    expect(first).toStrictEqual({ id: "a", version: 1, at: "1970-01-01T00:00:00.000Z" });
    expect(await here.rows.get("a")).toStrictEqual(first);
    expect(here.loads).toBe(0);
  });

  it("is refused when JSON would silently change it", async () => {
    const here = shop();
    const values = [
      new Map(),
      new Set(),
      new Price(),
      Number.NaN,
      Infinity,
      1n,
      [undefined],
      Array.from({ length: 1 }),
      () => 1,
      Symbol("x"),
    ];
    for (const value of values) {
      for (const nested of [value, { deep: [value] }]) {
        const error = await rejection(here.rows.get("a", { load: () => nested as never }));
        expect(error).toMatchObject({ code: "ERR_SLUICE_CACHE_VALUE", scope: "row" });
      }
    }
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(await rejection(here.rows.get("a", { load: () => circle as never }))).toMatchObject({
      code: "ERR_SLUICE_CACHE_VALUE",
    });
    expect(here.rows.stats().loadErrors).toBe(values.length * 2 + 1);
  });

  it("is refused without showing what code of its own says", async () => {
    const here = shop();
    for (const value of [{ toJSON: secret }, Object.defineProperty({}, "a", { enumerable: true, get: secret })]) {
      const error = await rejection(here.rows.get("a", { load: () => value as never }));
      expect(error).toMatchObject({ code: "ERR_SLUICE_CACHE_VALUE" });
      expect(error.message).not.toContain("secret");
    }
    const error = await rejection(here.rows.get("a", { load: () => ({ toJSON: () => {} }) as never }));
    expect(error.message).toContain("there is an undefined in it");
  });

  it("is frozen to its leaves, where others hold the same one", async () => {
    const here = shop({ cache: { l1: {} } });
    await here.cache.ready();
    const read = () => here.rows.get("a", more({ tags: [{ name: "x" }] }));
    const loaded = await read();
    const copied = await read();
    await here.cache.close();
    const other = shop();
    const together = await Promise.all([
      other.rows.get("b", more({ tags: [{ name: "x" }] })),
      other.rows.get("b", more({ tags: [{ name: "x" }] })),
    ]);
    const later = await Promise.all([other.rows.get("b"), other.rows.get("b")]);
    for (const row of [loaded, copied, ...together, ...later] as unknown as {
      id: string;
      tags: { name: string }[];
    }[]) {
      expect(() => (row.id = "b")).toThrow(TypeError);
      expect(() => row.tags.push({ name: "y" })).toThrow(TypeError);
      expect(() => Object.assign(row.tags[0] ?? {}, { name: "z" })).toThrow(TypeError);
    }
  });

  it("brings no prototype along", async () => {
    const here = shop();
    const hostile = JSON.parse('{"id":"a","version":1,"__proto__":{"isAdmin":true}}') as Row;
    for (let read = 0; read < 2; read += 1) {
      const row = await here.rows.get("a", { load: () => hostile });
      expect((Object.assign({}, row) as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    }
  });

  it("is compressed when that makes it smaller", async () => {
    for (const size of [5000, 200_000]) {
      const { store, puts } = tampered();
      const here = shop({ cache: { store } });
      expect((await here.rows.get("a", rowOf("x".repeat(size)))).id.length).toBe(size);
      expect((await here.rows.get("a")).id.length).toBe(size);
      const [put] = puts;
      const record = decodeRecord(put?.record ?? Buffer.alloc(0));
      expect(record).toMatchObject({ packing: "zstd", unpackedLength: size + 21 });
      expect(put?.record.length).toBeLessThan(size / 10);
    }
  });

  it("is handed out and not stored when its record is too long", async () => {
    const events = heard();
    const here = shop({ scope: { maxBytes: 1000, compressFrom: false } });
    expect((await here.rows.get("a", rowOf("x".repeat(1000)))).id.length).toBe(1000);
    await here.rows.get("a");
    expect(here.loads).toBe(1);
    expect(events).toContainEqual({ type: "store-skipped", scope: "row", reason: "too-large" });
  });
});

describe("a stored record", () => {
  const damages: Readonly<Record<string, (record: Buffer) => Buffer>> = {
    "random bytes": () => Buffer.from("not a record at all, but long enough to have a head of its own, perhaps"),
    "nothing at all": () => Buffer.alloc(0),
    "a head that is cut off": (record) => record.subarray(0, 40),
    "a payload that is cut off": (record) => record.subarray(0, record.length - 1),
    "a byte too many": (record) => Buffer.concat([record, Buffer.from("1")]),
    "another version": (record) => Buffer.concat([record.subarray(0, 2), Buffer.from([9]), record.subarray(3)]),
    "an unknown packing": (record) => Buffer.concat([record.subarray(0, 3), Buffer.from([7]), record.subarray(4)]),
    "a payload that is not JSON": (record) => {
      const head = headOf(record);
      return head ? encodeRecord({ ...head, payload: Buffer.from("{oops}") }) : record;
    },
    "a packed payload that is damaged": (record) => {
      const head = headOf(record);
      return head ? encodeRecord({ ...head, packing: "gzip" }) : record;
    },
    "another key's record": (record) => {
      const head = headOf(record);
      return head ? encodeRecord({ ...head, identity: "row b" }) : record;
    },
  };
  for (const [title, harm] of Object.entries(damages)) {
    it(`is a miss, and told, when there is ${title}`, async () => {
      const events = heard();
      const { store, damage } = tampered();
      const here = shop({ cache: { store } });
      damage.done = harm;
      await here.rows.get("a");
      damage.done = (record) => record;
      here.version = 2;
      expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
      expect(events).toContainEqual(expect.objectContaining({ type: "record-refused", scope: "row" }));
      expect(await here.rows.get("a")).toEqual({ id: "a", version: 2 });
      expect(here.loads).toBe(2);
    });
  }
});
