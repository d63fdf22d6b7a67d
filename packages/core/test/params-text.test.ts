import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalParams, parseCanonicalParams, SluiceError } from "../src/index.ts";
import { seeded } from "./seed.ts";
import { thrownBy } from "./thrown.ts";

/** The text of the values of a text, or the code of the error that refuses it. */
function rewritten(text: string): unknown {
  try {
    return canonicalParams(parseCanonicalParams(text));
  } catch (error) {
    return error instanceof SluiceError ? error.code : error;
  }
}

describe("the reader of canonical parameters", () => {
  it.each([
    ["unsorted names", "b=1:a=2", 0],
    ["repeated names", "a=1:a=1", 3],
    ["needless quotes", "a='b'", 2],
    ["a missing quote", "a='1", 4],
    ["a needless escape", "a=%41", 2],
    ["a lower-case escape", "a=%c3%a9", 2],
    ["a half escape", "a=%4", 2],
    ["an escape that is not UTF-8", "a=%FF", 2],
    ["a pair written as two surrogates", "a=%uD83D%uDE00", 3],
    ["a letter written as a surrogate", "a=%u0041", 2],
    ["a number in another notation", "a=1.0", 3],
    ["a number beyond all doubles", "a=1e999", 2],
    ["negative zero", "a=-0", 2],
    ["an empty value", "a=", 2],
    ["a name without a value", "a", 1],
    ["a trailing separator", "a=1:", 4],
    ["a raw blank", "a=b c", 3],
    ["a date in another notation", "a=@1970-01-01", 13],
    ["something that is no date", "a=@soon", 3],
    ["an open array", "a=[1", 4],
    ["an open object", "a=(b=1", 6],
    ["a stray bracket", "a=1]", 3],
  ])("refuses to read %s", (_kind, text, offset) => {
    const error = thrownBy(() => parseCanonicalParams(text));
    expect(error).toMatchObject({ code: "ERR_SLUICE_PARAMS_INVALID", offset });
  });

  it("accepts only texts that it would write", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      "=",
      ":",
      ",",
      "'",
      "1",
      "0",
      "-",
      ".",
      "e",
      "%41",
      "%uD800",
      "[",
      "]",
      "(",
      ")",
      "~",
      "@",
      "true",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = pieces.join("");
        expect([text, "ERR_SLUICE_PARAMS_INVALID"]).toContain(rewritten(text));
      }),
      seeded(1000),
    );
  });
});
