import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalParams, hasCode, NotCanonicalError, parseCanonicalParams, type ParamRecord } from "../src/index.ts";
import { anyUnit } from "./any-unit.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

const tricky = [
  "",
  "1",
  "-1",
  "1.5",
  "1e5",
  "007",
  "true",
  "null",
  "~",
  "'",
  "@",
  "[",
  "(",
  "a:b",
  "a=b",
  ",",
  "%",
  "{x}",
];
const anyText = fc.oneof(
  fc.constantFrom(...tricky, "\ud800", "\udc00", "\ud83d\ude00", "é", "e\u0301", "__proto__"),
  fc.string({ unit: anyUnit, maxLength: 6 }),
);
const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
const anyDate = fc.date({ noInvalidDate: true });
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: "params" },
    anyText,
    anyNumber,
    fc.integer(),
    fc.constantFrom(true, false, null),
    anyDate,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(anyText, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const anyParams = fc.dictionary(anyText, anyValue, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<ParamRecord>;

function refusal(
  params: unknown,
  options?: { maxDepth?: number; maxLength?: number },
): { reason: string; path: string } {
  const error = thrownBy(() => canonicalParams(params as ParamRecord, options));
  if (!(error instanceof NotCanonicalError)) throw error;
  expect(hasCode(error, "ERR_SLUICE_NOT_CANONICAL")).toBe(true);
  return { reason: error.reason, path: error.path };
}

describe("canonical parameters", () => {
  it.each<[string, ParamRecord]>([
    ["", {}],
    ["city=Paris:on=true:page=1", { page: 1, city: "Paris", on: true }],
    ["page='1'", { page: "1" }],
    ["a='true':b='false':c=null:d=~", { a: "true", b: "false", c: "null", d: null }],
    ["a='':b=[]:c=()", { a: "", b: [], c: {} }],
    ["ids=[2,1,'2',~]", { ids: [2, 1, "2", null] }],
    ["range=(from=1,to=(x=[a,(y=b)]))", { range: { to: { x: ["a", { y: "b" }] }, from: 1 } }],
    ["at=@1970-01-01T00%3A00%3A00.000Z", { at: new Date(0) }],
    ["a=x%3Ab%3Dy", { a: "x:b=y" }],
    ["q=%7Babc%7D%2A%20%27%28%29%5B%5D%7E%40%2C%25", { q: "{abc}* '()[]~@,%" }],
    ["q=a%00%0A%7F", { q: "a\u0000\n\u007f" }],
    ["q=%C3%A9%F0%9F%98%80%uDFFF%uD800", { q: "é😀\udfff\ud800" }],
    ["x=0:y=1e21:z=1e-7", { x: -0, y: 1e21, z: 1e-7 }],
    [
      "a='-1':b='1.5':c='1e5':d='007':e=1.:f=.5:g=2026-01-31:h=1E5",
      {
        a: "-1",
        b: "1.5",
        c: "1e5",
        d: "007",
        e: "1.",
        f: ".5",
        g: "2026-01-31",
        h: "1E5",
      },
    ],
    ["=z:10=a:9=b:A=c:a=d", { a: "d", A: "c", 9: "b", 10: "a", "": "z" }],
  ])("writes %s", (text, params) => {
    expect(canonicalParams(params)).toBe(text);
  });

  it("drops undefined members at every level", () => {
    expect(canonicalParams({ a: undefined, b: { c: undefined, d: 1 } })).toBe("b=(d=1)");
  });

  it("reads back every value it has written", () => {
    fc.assert(
      fc.property(anyParams, (params) => {
        const text = canonicalParams(params, { maxDepth: 20 });
        expect(isDeepStrictEqual(parseCanonicalParams(text, { maxDepth: 20 }), params)).toBe(true);
      }),
      seeded(600),
    );
  });

  it("writes different values differently", () => {
    const smallText = fc.constantFrom(
      "",
      "1",
      "a",
      "true",
      "a:b=1",
      "a,b=1",
      "~",
      "[",
      "\ud800",
      "\ufffd",
      "é",
      "e\u0301",
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        smallText,
        fc.constantFrom(null, true, 1, 0, new Date(0), "1970-01-01T00:00:00.000Z"),
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("value"), { maxKeys: 2, noNullPrototype: true }),
      ),
    }));
    const small = fc.dictionary(fc.constantFrom("a", "b", "a=1:b"), value, { maxKeys: 2, noNullPrototype: true });
    const texts = new Map<string, unknown>();
    fc.assert(
      fc.property(small, (params) => {
        const text = canonicalParams(params as ParamRecord);
        const first = texts.get(text) ?? params;
        expect(isDeepStrictEqual(first, params)).toBe(true);
        texts.set(text, first);
      }),
      seeded(1000),
    );
  });

  it("writes only its small alphabet", () => {
    fc.assert(
      fc.property(anyParams, (params) => {
        expect(canonicalParams(params, { maxDepth: 20 })).toMatch(/^[A-Za-z0-9._%=:,'~@()[\]-]*$/);
      }),
      seeded(1000),
    );
  });

  it("keeps colons out of names and values", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText, { maxKeys: 4 }), (params) => {
        const text = canonicalParams(params);
        const parts = text === "" ? [] : text.split(":");
        expect(parts.length).toBe(Object.keys(params).length);
      }),
      seeded(500),
    );
  });

  it("takes __proto__ for a name like any other", () => {
    const params = JSON.parse('{"__proto__":{"a":1}}') as ParamRecord;
    expect(canonicalParams(params)).toBe("__proto__=(a=1)");
    const read = parseCanonicalParams("__proto__=(a=1)");
    expect(Object.keys(read)).toEqual(["__proto__"]);
    expect("a" in read).toBe(false);
  });

  const holes: unknown[] = [];
  holes[1] = 1;
  class Page {
    readonly number = 1;
  }

  it.each([
    ["NaN", { a: Number.NaN }, { reason: "number", path: "$.a" }],
    ["infinity", { a: [Infinity] }, { reason: "number", path: "$.a[0]" }],
    ["a bigint", { a: 1n }, { reason: "type", path: "$.a" }],
    ["a function", { a: () => 1 }, { reason: "type", path: "$.a" }],
    ["a symbol", { a: Symbol("s") }, { reason: "type", path: "$.a" }],
    ["a pattern", { a: /x/ }, { reason: "type", path: "$.a" }],
    ["a class instance", { a: { b: new Page() } }, { reason: "type", path: "$.a.b" }],
    ["undefined in an array", { a: [undefined] }, { reason: "type", path: "$.a[0]" }],
    ["a hole in an array", { a: holes }, { reason: "type", path: "$.a[0]" }],
    ["an invalid date", { a: new Date(Number.NaN) }, { reason: "type", path: "$.a" }],
    ["a false date", { a: Object.create(Date.prototype) as unknown }, { reason: "type", path: "$.a" }],
    ["parameters that are an array", [1], { reason: "type", path: "$" }],
    ["parameters that are null", null, { reason: "type", path: "$" }],
    ["parameters that are text", "a=1", { reason: "type", path: "$" }],
  ])("refuses %s and names its place", (_kind, params, place) => {
    expect(refusal(params)).toEqual(place);
  });

  it("bounds depth, also of cycles", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(refusal(cycle).reason).toBe("depth");
    let deep: unknown = [];
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(refusal({ deep }).reason).toBe("depth");
    expect(canonicalParams({ a: [[]] }, { maxDepth: 3 })).toBe("a=[[]]");
    expect(refusal({ a: [[]] }, { maxDepth: 2 })).toEqual({ reason: "depth", path: "$.a[0]" });
    expect(parseCanonicalParams("a=[[]]", { maxDepth: 3 })).toEqual({ a: [[]] });
    expect(thrownBy(() => parseCanonicalParams("a=[[]]", { maxDepth: 2 }))).toMatchObject({ offset: 4 });
    expect(thrownBy(() => parseCanonicalParams(`a=${"[".repeat(60_000)}`))).toMatchObject({ offset: 18 });
  });

  it("bounds length, also of a value repeated within itself", () => {
    expect(canonicalParams({ a: "bc" }, { maxLength: 4 })).toBe("a=bc");
    expect(refusal({ a: "bc" }, { maxLength: 3 })).toEqual({ reason: "size", path: "$.a" });
    expect(refusal({ a: "é" }, { maxLength: 7 }).reason).toBe("size");
    let wide: unknown = "leaf";
    for (let level = 0; level < 10; level += 1) wide = Array.from({ length: 50 }, () => wide);
    expect(refusal({ wide }).reason).toBe("size");
    expect(thrownBy(() => parseCanonicalParams("a=bc", { maxLength: 3 }))).toMatchObject({ offset: 3 });
  });

  it("refuses impossible limits and texts", () => {
    const refused = { code: "ERR_SLUICE_INVALID_ARGUMENT" };
    expect(thrownBy(() => canonicalParams({}, { maxDepth: 0 }))).toMatchObject(refused);
    expect(thrownBy(() => canonicalParams({}, { maxLength: 1.5 }))).toMatchObject(refused);
    expect(thrownBy(() => parseCanonicalParams("", { maxDepth: 1e9 }))).toMatchObject(refused);
    expect(thrownBy(() => parseCanonicalParams(1 as unknown as string))).toMatchObject(refused);
  });
});
