import { describe, expect, it, vi } from "vitest";

import { describeValue, hasCode, InvalidArgumentError, SluiceError } from "../src/index.ts";

class LeaseError extends SluiceError {
  override readonly code = "ERR_SLUICE_LEASE";
}

describe("an error", () => {
  it("names its class and keeps its cause", () => {
    const cause = new Error("socket closed");
    const error = new LeaseError("the lease ended", { cause });
    expect(String(error)).toBe("LeaseError: the lease ended");
    expect(error.stack).toContain("LeaseError: the lease ended");
    expect(error.cause).toBe(cause);
    expect(Object.keys(error)).toEqual(["code"]);
  });

  it("is known by its code across installed copies", async () => {
    vi.resetModules();
    const copy = await import("../src/errors.ts");
    const error = new copy.InvalidArgumentError("ttl", "positive", -1);
    expect(error).not.toBeInstanceOf(InvalidArgumentError);
    expect(hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT")).toBe(true);
    expect(hasCode(error, "ERR_SLUICE_LEASE")).toBe(false);
  });

  it.each([undefined, null, "ERR_X", { code: "ERR_X" }, new Error("ERR_X")])("has no code when it is %j", (error) => {
    expect(hasCode(error, "ERR_X")).toBe(false);
  });

  it("says which argument was refused and why", () => {
    const error = new InvalidArgumentError("capacity", "a whole number from 1", -0);
    expect(error.message).toBe("capacity must be a whole number from 1, got -0");
    expect(error.argument).toBe("capacity");
  });
});

describe("a described value", () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const { proxy: revokedFunction, revoke: revokeFunction } = Proxy.revocable(() => {}, {});
  revokeFunction();
  const hostile = {
    toString(): string {
      throw new Error("no");
    },
    [Symbol.toPrimitive](): never {
      throw new Error("no");
    },
  };

  it.each<[unknown, string]>([
    [undefined, "undefined"],
    [null, "null"],
    [true, "true"],
    [0, "0"],
    [-0, "-0"],
    [Number.NaN, "NaN"],
    [12n, "12n"],
    [10n ** 100n, "a large bigint"],
    ["a\nb", String.raw`"a\nb"`],
    ["a\u2028b\u0085\u202ec", '"a b c"'],
    [Symbol("id"), 'Symbol("id")'],
    [Symbol(), 'Symbol("")'],
    [() => 1, "a function"],
    [[1, 2], "an array of 2"],
    [new Date(0), "a Date"],
    [{ password: "hunter2" }, "an object"],
    [new Map(), "an object"],
    [hostile, "an object"],
  ])("reads well in a message (case %#)", (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  it("survives a revoked proxy", () => {
    expect(describeValue(revoked)).toBe("an object");
    expect(describeValue(revokedFunction)).toBe("a function");
  });

  it.each([
    ["a string", "x".repeat(1e6)],
    ["a string of line breaks", "\n".repeat(1e6)],
    ["a string of pairs", "\ud83d\ude00".repeat(1e5)],
    ["a string that is cut in a pair", `${"x".repeat(78)}${"\ud83d\ude00".repeat(10)}`],
    ["a symbol", Symbol("x".repeat(1e6))],
    ["a bigint", 1n << 100_000n],
  ])("stays on one short line for %s", (_kind, value) => {
    const text = describeValue(value);
    expect(text.length).toBeLessThanOrEqual(81);
    expect(text).toMatch(/^[^\n\r\u2028\u2029\p{C}]*$/u);
  });
});
