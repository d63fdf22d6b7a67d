import {
  matchesEtag,
  parseCacheControl,
  parseItems,
  parseRetryAfter,
  printCacheControl,
  printItems,
  printRetryAfter,
  type StructuredItem,
} from "@sluice/http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hostileText } from "./support/hostile.ts";
import { seeded } from "./support/seed.ts";

const printable = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const value = fc.oneof(printable, fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }));
const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/);
const item = fc.record({ value, parameters: fc.dictionary(key, value, { maxKeys: 4 }) });

describe("structured items", () => {
  it.each<[string, StructuredItem[]]>([
    [
      '"auth-min";q=10;w=60, "auth-hour";q=30;w=3600',
      [
        { value: "auth-min", parameters: { q: 10, w: 60 } },
        { value: "auth-hour", parameters: { q: 30, w: 3600 } },
      ],
    ],
    ['"a\\"b\\\\c"', [{ value: 'a"b\\c', parameters: {} }]],
    ["-7", [{ value: -7, parameters: {} }]],
    ['"";qu="content-bytes"', [{ value: "", parameters: { qu: "content-bytes" } }]],
    ["", []],
  ])("are %s", (text, items) => {
    expect(printItems(items)).toBe(text);
    expect(parseItems(text)).toEqual(items);
  });

  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), (items) => {
        expect(parseItems(printItems(items))).toEqual(items);
      }),
      seeded(1000),
    );
  });

  it("allow the blanks that RFC 9651 allows", () => {
    expect(parseItems('  "a"; q=1 ,\t"b" ')).toEqual([
      { value: "a", parameters: { q: 1 } },
      { value: "b", parameters: {} },
    ]);
    expect(parseItems('"a";q=1;q=2')).toEqual([{ value: "a", parameters: { q: 2 } }]);
  });

  it.each([
    '"a',
    '"a",',
    ',"a"',
    '"a" "b"',
    '"a";Q=1',
    '"a";q',
    '"a";q=',
    '"a" ;q=1',
    "a",
    "1.5",
    "1234567890123456",
    '"\u00E9"',
    String.raw`"\a"`,
    '("a")',
    ":aGk=:",
    "?1",
    Array.from({ length: 65 }, () => "1").join(","),
  ])("are not %s", (text) => {
    expect(parseItems(text)).toBeUndefined();
  });

  it.each<[string, StructuredItem]>([
    ["value", { value: "\u00E9" }],
    ["value", { value: "line\nbreak" }],
    ["value", { value: 1.5 }],
    ["value", { value: Number.NaN }],
    ["value", { value: 1e15 }],
    ["value", { value: 1n as never }],
    ["parameters", { value: "a", parameters: { Q: 1 } }],
    ["parameters", { value: "a", parameters: { "q=1;r": 1 } }],
  ])("are not written of a bad %s", (argument, bad) => {
    expect(() => printItems([bad])).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }));
  });

  it("are read from any header without an error, in time that grows with its length", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const items = parseItems(text);
        expect(items === undefined || parseItems(printItems(items))).toEqual(items === undefined || items);
      }),
      seeded(1000),
    );
    expect(parseItems(`"${String.raw`\\`.repeat(500_000)}`)).toBeUndefined();
    expect(parseItems(`"a"${";q=1".repeat(100_000)}`)).toEqual([{ value: "a", parameters: { q: 1 } }]);
  });
});

describe("Retry-After", () => {
  it.each([
    [0, "1"],
    [1, "1"],
    [1000, "1"],
    [1001, "2"],
    [11_500, "12"],
    [-5, "1"],
    [Number.NaN, "1"],
    [Number.POSITIVE_INFINITY, "2147483647"],
  ])("of %d ms is %s", (waitMs, expected) => {
    expect(printRetryAfter(waitMs)).toBe(expected);
  });

  const nowMs = Date.UTC(2026, 0, 1);
  it.each([
    ["12", 12_000],
    [" 0 ", 0],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:59:59 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["12345678901", undefined],
    ["tomorrow", undefined],
    ["2026-01-01", undefined],
    ["Thu, 99 Xxx 2026 00:00:30 GMT", undefined],
    ["", undefined],
  ])("%j asks for %s ms", (text, expected) => {
    expect(parseRetryAfter(text, nowMs)).toBe(expected);
  });
});

describe("Cache-Control", () => {
  it.each([
    ["max-age=60, public", { "max-age": 60, public: true }],
    ["No-Cache, MAX-AGE=0", { "no-cache": true, "max-age": 0 }],
    ['private="set-cookie, x", no-store', { private: "set-cookie, x", "no-store": true }],
    ['x="a\\"b"', { x: 'a"b' }],
    ["max-age=1, max-age=2", { "max-age": 1 }],
    ["max-age=-1", { "max-age": "-1" }],
    ["no-store, ;broken, public", { "no-store": true }],
    ["__proto__=1", Object.fromEntries([["__proto__", 1]])],
    ["", {}],
  ])("%s is read", (text, expected) => {
    expect(parseCacheControl(text)).toEqual(expected);
  });

  it("comes back as it was", () => {
    const directives = fc.dictionary(
      fc.stringMatching(/^[a-z-]{1,10}$/),
      fc.oneof(printable, fc.nat(), fc.constant(true as const)),
    );
    fc.assert(
      fc.property(directives, (given) => {
        const known = Object.fromEntries(
          Object.entries(given).map(([name, each]) => [name, /^\d{1,15}$/.test(String(each)) ? Number(each) : each]),
        );
        expect(parseCacheControl(printCacheControl(given))).toEqual(known);
      }),
      seeded(500),
    );
  });

  it("is bounded", () => {
    expect(Object.keys(parseCacheControl(Array.from({ length: 100 }, (_, n) => `x${n}`).join()))).toHaveLength(64);
  });
});

describe("If-None-Match", () => {
  it.each([
    ['"1"', '"1"', true],
    ['W/"1"', '"1"', true],
    ['"1"', 'W/"1"', true],
    ['"0", W/"1" , "2"', '"1"', true],
    ['"a,b", "1"', '"1"', true],
    ["*", '"1"', true],
    ['"2"', '"1"', false],
    ['w/"1"', '"1"', false],
    ["1", '"1"', false],
    ['broken, "1"', '"1"', false],
    ["", '"1"', false],
    [`${'"x",'.repeat(64)}"1"`, '"1"', false],
  ])("%s for %s: %s", (header, etag, expected) => {
    expect(matchesEtag(header, etag)).toBe(expected);
  });
});
