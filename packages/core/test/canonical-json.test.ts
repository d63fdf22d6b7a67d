import { runInNewContext } from "node:vm";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalJson, hasCode, NotCanonicalError, parseJson, type CanonicalJsonOptions } from "../src/index.ts";
import { anyUnit } from "./any-unit.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

function refusal(value: unknown, options?: CanonicalJsonOptions): { reason: string; path: string } {
  const error = thrownBy(() => canonicalJson(value, options));
  if (!(error instanceof NotCanonicalError)) throw error;
  expect(hasCode(error, "ERR_SLUICE_NOT_CANONICAL")).toBe(true);
  expect(error.message.length).toBeLessThan(500);
  return { reason: error.reason, path: error.path };
}

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

/** Equality of JSON data that knows no prototypes and takes -0 for 0. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  const entries = new Map(Object.entries(b));
  return (
    names.length === entries.size &&
    Object.entries(a).every(([name, value]) => entries.has(name) && sameJson(value, entries.get(name)))
  );
}

const anyJson = fc.jsonValue({ stringUnit: anyUnit, maxDepth: 5 });

describe("canonical JSON", () => {
  it("agrees with the samples of RFC 8785", () => {
    const sample = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalJson(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    expect(text).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(",")}}`);
  });

  it("sorts by code unit, not by locale or number", () => {
    expect(canonicalJson({ b: 0, a: 0, B: 0, A: 0, ä: 0, "10": 0, "9": 0, "": 0 })).toBe(
      '{"":0,"10":0,"9":0,"A":0,"B":0,"a":0,"b":0,"ä":0}',
    );
  });

  it("sorts few members and many alike", () => {
    const name = fc.string({ unit: anyUnit, maxLength: 3 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40, size: "max" }), (names) => {
        const text = canonicalJson(Object.fromEntries(names.map((each) => [each, 0])));
        const byCodeUnit = names.toSorted((a, b) => (a < b ? -1 : 1));
        expect(text).toBe(`{${byCodeUnit.map((each) => `${JSON.stringify(each)}:0`).join(",")}}`);
      }),
      seeded(300),
    );
  });

  it("is the same for every order of members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: anyUnit }), anyJson), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(members));
      }),
      seeded(300),
    );
  });

  it("reads back as the value it was written from", () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(sameJson(JSON.parse(canonicalJson(value)), value)).toBe(true);
      }),
      seeded(500),
    );
  });

  it("differs for different values and only for those", () => {
    const small = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom(null, true, 0, 1, 12, "", "1", "a", "null", "\ud800", "\ud801", "\ufffd", "é", "e\u0301"),
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "A", "__proto__", "1"), tie("value"), { maxKeys: 2 }),
      ),
    })).value;
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(sameJson(a, b));
      }),
      seeded(1000),
    );
  });

  it("survives its own parser unchanged", () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = canonicalJson(value);
        if (/\d{16}/.test(text)) return;
        expect(canonicalJson(parseJson(text))).toBe(text);
      }),
      seeded(300),
    );
  });

  it("takes __proto__ for a member like any other", () => {
    const [small, large] = [100, 999].map((amount) => parseJson(`{"__proto__":{"amount":${amount}}}`));
    expect(canonicalJson(small)).toBe('{"__proto__":{"amount":100}}');
    expect(canonicalJson(large)).toBe('{"__proto__":{"amount":999}}');
  });

  it("keeps lone surrogates apart by escaping them", () => {
    expect(canonicalJson(["\ud800", "\ud801", "\udfff", "\ud83d\ude00"])).toBe(
      String.raw`["\ud800","\ud801","\udfff","😀"]`,
    );
  });

  it("does not normalise Unicode", () => {
    expect(canonicalJson("é")).not.toBe(canonicalJson("e\u0301"));
  });

  it("writes negative zero as zero", () => {
    expect(canonicalJson([-0, 0])).toBe("[0,0]");
  });

  it("accepts plain objects of any realm", () => {
    const foreign: unknown = runInNewContext("({ b: [1], a: {} })");
    expect(canonicalJson([foreign, Object.assign(Object.create(null), { a: 1 })])).toBe('[{"a":{},"b":[1]},{"a":1}]');
  });

  const holes: unknown[] = [1];
  holes[2] = 3;
  const named = Object.assign([1], { extra: 2 });
  const hidden = Object.defineProperty({}, "secret", { value: 1, enumerable: false });
  const accessor = Object.defineProperty({}, "price", { get: () => 1, enumerable: true });
  class Money {
    readonly amount = 1;
  }
  const cycle: Record<string, unknown> = {};
  cycle["a"] = cycle;

  it.each([
    ["undefined", { a: [undefined] }, { reason: "type", path: "$.a[0]" }],
    ["a function", { a: () => 1 }, { reason: "type", path: "$.a" }],
    ["a symbol", [Symbol("s")], { reason: "type", path: "$[0]" }],
    ["a bigint", { a: { b: 1n } }, { reason: "type", path: "$.a.b" }],
    ["NaN", [Number.NaN], { reason: "number", path: "$[0]" }],
    ["infinity", { "odd name": -Infinity }, { reason: "number", path: '$["odd name"]' }],
    ["a date", new Date(0), { reason: "type", path: "$" }],
    ["a map", { a: new Map() }, { reason: "type", path: "$.a" }],
    ["a class instance", [new Money()], { reason: "type", path: "$[0]" }],
    ["a boxed string", [Object("s")], { reason: "type", path: "$[0]" }],
    ["a sparse array", { a: holes }, { reason: "type", path: "$.a" }],
    ["an array with named members", named, { reason: "type", path: "$" }],
    ["an accessor", { a: accessor }, { reason: "type", path: "$.a.price" }],
    ["a hidden member", hidden, { reason: "type", path: "$.secret" }],
    ["a member named by a symbol", { a: { [Symbol("s")]: 1 } }, { reason: "type", path: "$.a" }],
    ["an object with toJSON", { a: { toJSON: () => 1 } }, { reason: "type", path: "$.a.toJSON" }],
    ["a cycle", cycle, { reason: "depth", path: "$.a.a.a.a….a.a.a.a" }],
  ])("refuses %s and names its place", (_kind, value, place) => {
    expect(refusal(value)).toEqual(place);
  });

  it("keeps a member named toJSON that holds data", () => {
    expect(canonicalJson({ toJSON: 2 })).toBe('{"toJSON":2}');
  });

  it("refuses deep nesting without recursion", () => {
    expect(refusal(nested(100_000)).reason).toBe("depth");
    expect(canonicalJson(nested(100))).toBe("[".repeat(100) + "]".repeat(100));
    expect(refusal(nested(101)).reason).toBe("depth");
    expect(canonicalJson(nested(1000), { maxDepth: 1000 }).length).toBe(2000);
    expect(refusal(nested(3), { maxDepth: 2 })).toEqual({ reason: "depth", path: "$[0][0]" });
  });

  it("bounds the path it shows", () => {
    const { path } = refusal({ ["x".repeat(1e6)]: { "\n": undefined } });
    expect(path).toBe(String.raw`$["${"x".repeat(24)}"…]["\n"]`);
    expect(refusal(nested(100_000)).path.length).toBeLessThan(60);
  });

  it("bounds the size of its result exactly", () => {
    expect(canonicalJson({ a: "bc" }, { maxLength: 10 })).toBe('{"a":"bc"}');
    expect(refusal({ a: "bc" }, { maxLength: 9 })).toEqual({ reason: "size", path: "$" });
    expect(refusal({ a: "x".repeat(1e6) }, { maxLength: 100 })).toEqual({ reason: "size", path: "$.a" });
  });

  it("stops early on a value that refers to itself manyfold", () => {
    let value: unknown = [];
    for (let level = 0; level < 80; level += 1) value = [value, value];
    expect(refusal(value, { maxLength: 10_000 }).reason).toBe("size");
  });

  it("writes unsafe integers unless told to refuse them", () => {
    expect(canonicalJson([2 ** 53, 1e30])).toBe("[9007199254740992,1e+30]");
    expect(refusal([1, 2 ** 53], { unsafeIntegers: "reject" })).toEqual({ reason: "number", path: "$[1]" });
    expect(refusal([-1e30], { unsafeIntegers: "reject" }).reason).toBe("number");
    expect(canonicalJson([2 ** 53 - 1, 0.5], { unsafeIntegers: "reject" })).toBe("[9007199254740991,0.5]");
  });

  it.each([
    ["maxDepth", { maxDepth: 1001 }],
    ["maxDepth", { maxDepth: 0 }],
    ["maxLength", { maxLength: Number.NaN }],
    ["unsafeIntegers", { unsafeIntegers: "maybe" as "allow" }],
  ])("refuses an impossible %s", (argument, options) => {
    expect(thrownBy(() => canonicalJson(1, options))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
  });
});
