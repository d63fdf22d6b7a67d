import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasCode, JsonInvalidError, parseJson, type ParseJsonOptions } from "../src/index.ts";
import { anyUnit } from "./any-unit.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

function refusal(text: string, options?: ParseJsonOptions): { reason: string; offset: number } {
  const error = thrownBy(() => parseJson(text, options));
  if (!(error instanceof JsonInvalidError)) throw error;
  expect(hasCode(error, "ERR_SLUICE_JSON_INVALID")).toBe(true);
  expect(error.message.length).toBeLessThan(200);
  return { reason: error.reason, offset: error.offset };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function verdictOn(text: string): unknown {
  try {
    parseJson(text, { duplicates: "last" });
    return "accepted";
  } catch (error) {
    return error instanceof JsonInvalidError ? error.reason : error;
  }
}

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

/** The best of three, of this process's own time: that of a busy machine is another's. */
function parsingMs(text: string): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    parseJson(text);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

describe("strict JSON", () => {
  it("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: anyUnit }), fc.constantFrom("", " ", "\n\t\r"), (value, blank) => {
        const text = blank + JSON.stringify(value, null, blank) + blank;
        fc.pre(verdictOn(text) !== "number");
        expect(isDeepStrictEqual(parseJson(text), JSON.parse(text))).toBe(true);
      }),
      seeded(300),
    );
  });

  it("refuses exactly what JSON.parse refuses", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "a",
      "\\",
      "u00e9",
      "-",
      "0",
      "1",
      ".",
      "e",
      "+",
      " ",
      "\n",
      "\u00a0",
    ];
    const words = [
      "true",
      "null",
      '"a"',
      '"b":',
      "01",
      "1.",
      "1e5",
      '"\\u00"',
      '"\\x"',
      "\u0001",
      "\ufeff",
      '""',
      "tru",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        const verdict = verdictOn(text);
        fc.pre(verdict !== "number");
        expect(verdict).toBe(isJson(text) ? "accepted" : "syntax");
      }),
      seeded(1000),
    );
  });

  it.each([
    ["", 0],
    ["  ", 2],
    ["[1,]", 3],
    ["[1 2]", 3],
    ['{"a"}', 4],
    ['{"a":1,}', 7],
    ["{'a':1}", 1],
    ["[1}", 2],
    ["1 1", 2],
    ['"a\nb"', 2],
    ['"open', 5],
    ['"\\u12g4"', 1],
    ["nul", 0],
    ["\ufeff{}", 0],
  ])("says where %j stops being JSON", (text, offset) => {
    expect(refusal(text)).toEqual({ reason: "syntax", offset });
  });

  it("refuses a member that is named twice", () => {
    expect(refusal('{"amount":1,"amount":100}')).toEqual({ reason: "duplicate", offset: 12 });
    expect(refusal(String.raw`{"a":1,"\u0061":2}`)).toEqual({ reason: "duplicate", offset: 7 });
    expect(refusal('[{"x":{"b":1,"b":1}}]').reason).toBe("duplicate");
    expect(refusal('{"__proto__":1,"__proto__":2}').reason).toBe("duplicate");
  });

  it("takes equal names of different objects for different", () => {
    expect(parseJson('[{"a":{"a":[{"a":1}]}},{"a":2}]')).toEqual([{ a: { a: [{ a: 1 }] } }, { a: 2 }]);
    expect(parseJson('{"a":{"b":1},"b":2}')).toEqual({ a: { b: 1 }, b: 2 });
  });

  it("keeps the last member when told to", () => {
    expect(parseJson('{"a":1,"a":2}', { duplicates: "last" })).toEqual({ a: 2 });
  });

  it("makes __proto__ an own member without touching prototypes", () => {
    const value = parseJson('{"__proto__":{"isAdmin":true}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect("isAdmin" in value).toBe(false);
  });

  it.each([
    "9007199254740993",
    "-9007199254740993",
    "1152921504606847000",
    "1e400",
    "-1e400",
    "1e-400",
    "9".repeat(400),
  ])("refuses the number %s", (number) => {
    expect(refusal(`[0,${number}]`)).toEqual({ reason: "number", offset: 3 });
  });

  it.each([
    "9007199254740991",
    "9007199254740992",
    "1152921504606846976",
    "1e23",
    "0e400",
    "-0",
    "0.1",
    "5e-324",
    "0.0",
  ])("reads the number %s", (number) => {
    expect(parseJson(number)).toBe(Number(number));
  });

  it("bounds depth without recursion", () => {
    expect(refusal("[".repeat(100_000))).toEqual({ reason: "depth", offset: 100 });
    expect(refusal('{"a":'.repeat(100_000))).toEqual({ reason: "depth", offset: 500 });
    expect(parseJson(nested(100))).toEqual(JSON.parse(nested(100)));
    expect(refusal(nested(101)).reason).toBe("depth");
    expect(refusal(nested(3), { maxDepth: 2 })).toEqual({ reason: "depth", offset: 2 });
    expect(parseJson("[[],[],{},[[]]]", { maxDepth: 3 })).toEqual([[], [], {}, [[]]]);
  });

  it("bounds the size before it reads", () => {
    expect(refusal('"abc"', { maxLength: 4 })).toEqual({ reason: "size", offset: 4 });
    expect(parseJson('"abc"', { maxLength: 5 })).toBe("abc");
    expect(refusal(" ".repeat(16 * 2 ** 20 + 1)).reason).toBe("size");
  });

  it("shows at most a short piece of the text", () => {
    const secret = "s".repeat(100_000);
    const error = thrownBy(() => parseJson(`{"${secret}":1,"${secret}":2}`));
    expect(String(error).length).toBeLessThan(220);
    expect(String(error)).not.toContain("s".repeat(100));
  });

  it.each([
    ["escapes", (n: number) => `"${String.raw`\u0061`.repeat(n / 6)}"`],
    ["digits", (n: number) => `0.${"1".repeat(n)}`],
    ["members", (n: number) => `{${Array.from({ length: n / 10 }, (_, i) => `"${i}k":0`).join(",")}}`],
    ["blanks", (n: number) => `[${" ".repeat(n)}]`],
  ])("reads twenty times the %s in linear time", (_kind, make) => {
    // Quadratic time would be a factor of 400. The constant covers what a clock of milliseconds cannot tell.
    expect(parsingMs(make(400_000))).toBeLessThan(100 * parsingMs(make(20_000)) + 100);
  });

  it("refuses a text that is not a string", () => {
    const error = thrownBy(() => parseJson(Buffer.from("{}") as unknown as string));
    expect(error).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument: "text" });
  });

  it.each([
    ["duplicates", { duplicates: "first" as "last" }],
    ["maxDepth", { maxDepth: 1.5 }],
    ["maxLength", { maxLength: -1 }],
  ])("refuses an impossible %s", (argument, options) => {
    expect(thrownBy(() => parseJson("1", options))).toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument });
  });
});
