import { describe, expect, it } from "vitest";

import { withAssertions } from "./examples.ts";

describe("a promise in a comment", () => {
  it("becomes an assertion on the awaited expression", () => {
    expect(withAssertions("await next(); // => 2")).toContain("assert.deepStrictEqual(await (next()), 2);");
    expect(withAssertions("parse('1s'); // => 1000")).toContain("assert.deepStrictEqual(await (parse('1s')), 1000);");
  });

  it("becomes an assertion on the constant it stands behind", () => {
    expect(withAssertions("const one = f(); // => 1")).toContain("const one = f(); assert.deepStrictEqual(one, 1);");
  });

  it("leaves a program without promises as it is", () => {
    expect(withAssertions("f(); // a note")).toBe("f(); // a note");
  });
});
