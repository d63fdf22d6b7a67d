import { systemRandom } from "@sluice/core";
import { describe, expect, it } from "vitest";

import { decodeHash, deriveTag, encodeHash } from "../src/modules/auth/argon2.ts";
import { callerOf, checkBearer } from "../src/modules/auth/bearer.ts";
import { createPasswordHasher } from "../src/modules/auth/password-hasher.ts";
import { drawRefreshToken, openSuccessor, readRefreshToken, sealSuccessor } from "../src/modules/auth/refresh-token.ts";
import { verdictOn, type TokenState } from "../src/modules/auth/rotation.ts";
import { readSessionCookie } from "../src/modules/auth/session-cookie.ts";
import { createSlots } from "../src/modules/auth/slots.ts";

const cost = { memoryKib: 8, passes: 1, parallelism: 1 };

describe("Argon2id", () => {
  it("computes what the reference implementation does", async () => {
    const parameters = { memory: 65_536, passes: 2, parallelism: 1, tagLength: 32 };
    const tag = await deriveTag({ message: "password", nonce: "somesalt", ...parameters });
    expect(Buffer.from(tag).toString("hex")).toBe("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
  });

  it("is written as a PHC string, and read again", () => {
    const hash = { cost, salt: Buffer.alloc(16, 1), tag: Buffer.alloc(32, 2) };
    const text = "$argon2id$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
    expect(encodeHash(hash)).toBe(text);
    expect(decodeHash(text)).toEqual(hash);
  });

  it.each(["", "$argon2i$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$AgIC", "$2b$12$abc"])("refuses to read %j", (text) => {
    expect(() => decodeHash(text)).toThrow("not one of Argon2id");
  });
});

describe("a password hasher", () => {
  const hasher = createPasswordHasher({ cost, derive: deriveTag, random: systemRandom });

  it("knows a password again, and no other", async () => {
    const hash = await hasher.hash("correct horse battery");
    expect(await hasher.verify("correct horse battery", hash)).toBe(true);
    expect(await hasher.verify("correct horse batterz", hash)).toBe(false);
    expect(await hasher.verify("", hash)).toBe(false);
  });

  it("says no where there is no hash, whatever the password", async () => {
    expect(await hasher.verify("correct horse battery", undefined)).toBe(false);
  });

  it("tells hashes of another cost", async () => {
    const hash = await hasher.hash("correct horse battery");
    const dearer = createPasswordHasher({ cost: { ...cost, passes: 2 }, derive: deriveTag, random: systemRandom });
    expect([hasher.isCurrent(hash), dearer.isCurrent(hash)]).toEqual([true, false]);
    expect(await dearer.verify("correct horse battery", hash)).toBe(true);
  });
});

describe("slots", () => {
  it("run so many works at once, let so many wait, and refuse the others", async () => {
    const slots = createSlots({ running: 2, waiting: 3 });
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const works = gates.map(({ promise }, index) =>
      slots.run(() => {
        begun.push(index);
        return promise;
      }),
    );
    const refused = slots.run(() => Promise.resolve());
    await expect(refused).rejects.toMatchObject({ status: 503, code: "BUSY", headers: { "retry-after": "1" } });
    expect(begun).toEqual([0, 1]);
    for (const [index, { resolve, reject }] of gates.entries()) {
      if (index === 1) reject(new Error("failed"));
      else resolve();
      await works[index]?.catch(() => undefined);
    }
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(await slots.run(() => Promise.resolve("free again"))).toBe("free again");
  });
});

describe("the access token of a request", () => {
  it("is verified once, for the limiter and for the guard of the route, and never for another request", async () => {
    const asked: string[] = [];
    const check = checkBearer({
      async verify(token) {
        asked.push(token);
        return { ok: true, session: { userId: `user-${token}`, familyId: "family", authVersion: 1 } };
      },
    });
    const [one, other] = ["one", "other"].map((token) => ({ headers: { authorization: `Bearer ${token}` } }));
    if (!one || !other) throw new Error("There are no requests.");
    expect(await callerOf(check, one)).toBe("user-one");
    expect(await callerOf(check, other)).toBe("user-other");
    expect(await check(one)).toMatchObject({ ok: true, session: { userId: "user-one" } });
    expect(asked).toEqual(["one", "other"]);
  });

  it("is asked for only where an Authorization has its form", async () => {
    const check = checkBearer({ verify: () => Promise.reject(new Error("There is nothing to verify.")) });
    expect(await check({ headers: {} })).toBeUndefined();
    for (const authorization of ["", "Bearer", "Bearer a b", "Basic YTpi"]) {
      expect(await check({ headers: { authorization } })).toEqual({ ok: false, reason: "invalid" });
      expect(await callerOf(check, { headers: { authorization } })).toBeUndefined();
    }
  });
});

describe("a refresh token", () => {
  it("has 256 random bits, and opens what was sealed with it alone", () => {
    const [token, next, other] = [0, 1, 2].map(() => drawRefreshToken(systemRandom));
    if (!token || !next || !other) throw new Error("There are three");
    expect(Buffer.from(token.text, "base64url")).toHaveLength(32);
    expect(readRefreshToken(token.text)).toEqual(token);
    const sealed = sealSuccessor(token, next, systemRandom);
    expect(openSuccessor(token, sealed)).toEqual(next);
    expect(() => openSuccessor(other, sealed)).toThrow("authenticate");
    expect(Buffer.from(sealed).includes(next.text)).toBe(false);
    expect(Buffer.from(sealed).equals(sealSuccessor(token, next, systemRandom))).toBe(false);
  });
});

describe("the verdict on a refresh token", () => {
  const last: TokenState = { revoked: false, expired: false, rotatedMsAgo: null, successorUsed: false };

  it.each([
    ["the last of its chain", last, "rotate"],
    ["replaced just now", { ...last, rotatedMsAgo: 0 }, "repeat"],
    ["replaced 19,999 ms ago", { ...last, rotatedMsAgo: 19_999 }, "repeat"],
    ["replaced 20,000 ms ago", { ...last, rotatedMsAgo: 20_000 }, "revoke"],
    ["replaced just now by one that is used already", { ...last, rotatedMsAgo: 0, successorUsed: true }, "revoke"],
    ["of a family that has ended", { ...last, revoked: true }, "refuse"],
    ["replaced just now, of a family that has ended", { ...last, revoked: true, rotatedMsAgo: 0 }, "refuse"],
    ["expired", { ...last, expired: true }, "refuse"],
    ["expired and replaced long ago", { ...last, expired: true, rotatedMsAgo: 1e9 }, "refuse"],
  ] as const)("that is %s", (_title, state, verdict) => {
    expect(verdictOn(state, 20_000)).toBe(verdict);
  });

  it("knows no leeway where there is none", () => {
    expect(verdictOn({ ...last, rotatedMsAgo: 0 }, 0)).toBe("revoke");
  });
});

describe("the session cookie", () => {
  it.each([
    ["refresh_token=abc", "abc"],
    ["theme=dark; refresh_token=abc; lang=ig", "abc"],
    ["refresh_token=", undefined],
    ["xrefresh_token=abc", undefined],
    ["theme=refresh_token=abc", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("of %j is %j", (header, token) => {
    expect(readSessionCookie(header)).toBe(token);
  });
});
