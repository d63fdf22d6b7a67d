import { quoteIdentifier } from "@sluice/postgres";
import { describe, expect, it } from "vitest";

describe("a quoted identifier", () => {
  it("keeps its spelling, whatever it is", () => {
    expect(quoteIdentifier("Order")).toBe('"Order"');
    expect(quoteIdentifier('a"; drop table b; --')).toBe('"a""; drop table b; --"');
    expect(quoteIdentifier("é".repeat(31))).toBe(`"${"é".repeat(31)}"`);
  });

  it.each(["", "a\0b", "a".repeat(64), "é".repeat(32), "\uD800"])(
    "is refused when PostgreSQL would change it: %j",
    (name) => {
      expect(() => quoteIdentifier(name)).toThrow(expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT" }));
    },
  );
});
