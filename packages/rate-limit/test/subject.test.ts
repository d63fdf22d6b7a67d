import { createHash } from "node:crypto";

import { testSeed } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { byAction, byIp, byKey, bySecret, byUser } from "../src/index.ts";
import { sha256 } from "../src/sha256.ts";
import { codeOf } from "./outcome.ts";

// Every code unit, lone surrogates included; control characters and ASCII more often than chance has it.
const unit = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff }));

function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.array(unit, { minLength: 1, maxLength }).map((units) => String.fromCharCode(...units));
}

const settings = { seed: testSeed() };

describe("a subject", () => {
  it("is kept under the names that people know", () => {
    expect(byUser("42").key).toBe("rate:user:42");
    expect(byIp("203.0.113.7").key).toBe("rate:anon:203.0.113.7");
    expect(byIp("2001:db8:1:2::/64").key).toBe("rate:anon:2001:db8:1:2::/64");
    expect(byKey("org_7").key).toBe("rate:key:org_7");
    expect(byAction("42", "buy").key).toBe("rate_limit:42:buy");
  });

  it("shows readable ids as they are, and escapes what means something to Redis", () => {
    expect(byUser("auth0|7").key).toBe("rate:user:auth0%7C7");
    expect(byUser("a@b.example").key).toBe("rate:user:a@b.example");
    expect(byUser("*?[x]{y}").key).toBe("rate:user:%2A%3F%5Bx%5D%7By%7D");
    expect(byUser("a\n%").key).toBe("rate:user:a%0A%25");
    expect(byUser("é").key).toBe("rate:user:%C3%A9");
    expect(byUser("__proto__").key).toBe("rate:user:__proto__");
  });

  it("is a hash of fixed length when its id is long, and no id can be another's hash", () => {
    const long = byUser("x".repeat(10_240)).key;
    expect(long).toMatch(/^rate:user:#[\w-]{43}$/);
    expect(byUser(long.slice("rate:user:".length)).key).not.toBe(long);
    expect(byUser("x".repeat(64)).key).toBe(`rate:user:${"x".repeat(64)}`);
  });

  it("never shows a secret", () => {
    expect(bySecret("sk_live_abc").key).toBe(
      `rate:secret:#${createHash("sha256").update("sk_live_abc").digest("base64url")}`,
    );
    for (const make of [() => bySecret(""), () => bySecret("s3cret".repeat(20_000)), () => bySecret(7 as never)]) {
      expect(codeOf(make)).toBe("ERR_SLUICE_INVALID_ARGUMENT");
      expect(make).toThrow(/^(?!.*s3cret)/);
    }
  });

  it("is never the same for different parts, and has no braces, blanks or control characters", () => {
    const text = fc.oneof(anyText(5), fc.constantFrom("u1", "u12", "2x", "x", ":", "%3A", "u1:2"));
    fc.assert(
      fc.property(fc.tuple(text, text), fc.tuple(text, text), ([user, action], [otherUser, otherAction]) => {
        const [one, other] = [byAction(user, action).key, byAction(otherUser, otherAction).key];
        expect(one === other).toBe(user === otherUser && action === otherAction);
        expect(one).toMatch(/^[\x21-\x7A|~#]+$/);
        expect(byUser(user).key === byUser(otherUser).key).toBe(user === otherUser);
      }),
      { ...settings, numRuns: 150 },
    );
  });

  it.each(["", "x".repeat(65_537), 7, undefined, null, {}])("is refused for an id that is none", (id) => {
    const wrong = id as string;
    for (const make of [
      byUser,
      byKey,
      (text: string) => byAction(text, "buy"),
      (text: string) => byAction("42", text),
    ]) {
      expect(codeOf(() => make(wrong))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
  });
});

describe("SHA-256", () => {
  it("is that of node:crypto for every text", () => {
    fc.assert(
      fc.property(
        anyText(150).filter((text) => text.isWellFormed()),
        (text) => {
          expect(sha256(text)).toBe(createHash("sha256").update(text).digest("base64url"));
        },
      ),
      { ...settings, numRuns: 100 },
    );
    for (const length of [0, 55, 56, 63, 64, 119, 120, 10_240]) {
      const text = "a".repeat(length);
      expect(sha256(text)).toBe(createHash("sha256").update(text).digest("base64url"));
    }
  });
});
