import { describe, expect, it } from "vitest";

import {
  bucket,
  byUser,
  concurrency,
  createRateLimiter,
  fixedWindow,
  memoryStore,
  slidingLog,
  strictWindow,
  window,
  type Limit,
  type PolicyInput,
  type RateLimiterOptions,
} from "../src/index.ts";
import { codeOf } from "./outcome.ts";

const counts = [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, "5", undefined, null];

describe("a limit that is malformed", () => {
  it.each(counts)("is refused for the limit %s", (limit) => {
    const wrong = limit as number;
    const makers: readonly (() => Limit)[] = [
      () => window({ limit: wrong, per: "1m" }),
      () => strictWindow({ limit: wrong, per: "1m" }),
      () => fixedWindow({ limit: wrong, per: "1m" }),
      () => slidingLog({ limit: wrong, per: "1m" }),
      () => concurrency({ limit: wrong, lease: "1m" }),
      () => bucket({ capacity: wrong, refill: 1, every: "1m" }),
      () => bucket({ capacity: 1, refill: wrong, every: "1m" }),
    ];
    for (const make of makers) expect(codeOf(make)).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });

  it.each([0, -1, 0.5, Number.NaN, Infinity, "367d", "1", "1.5s", "", undefined])(
    "is refused for the window %s",
    (per) => {
      const wrong = per as number;
      for (const make of [window, strictWindow, fixedWindow, slidingLog]) {
        expect(codeOf(() => make({ limit: 1, per: wrong }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
      }
      expect(codeOf(() => bucket({ capacity: 1, refill: 1, every: wrong }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
      expect(codeOf(() => concurrency({ limit: 1, lease: wrong }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    },
  );

  it("is refused where its numbers no longer multiply exactly, above 2^53 / W", () => {
    const most = Math.floor(Number.MAX_SAFE_INTEGER / 60_000);
    for (const make of [window, strictWindow, fixedWindow]) {
      expect(make({ limit: most, per: "1m" }).limit).toBe(most);
      expect(codeOf(() => make({ limit: most + 1, per: "1m" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
    expect(codeOf(() => bucket({ capacity: most, refill: 1, every: "1m" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(codeOf(() => slidingLog({ limit: 1001, per: "1m" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(codeOf(() => concurrency({ limit: 1001, lease: "1m" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });

  it.each(["", "a b", 'a"b', "a@b", "a:b", "a|b", "a,b", "é", "-a", "x".repeat(65), 7])(
    "is refused for the name %s",
    (name) => {
      expect(codeOf(() => window({ name: name as string, limit: 1, per: "1m" }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    },
  );

  it.each([0, 101, 1.5, Number.NaN])("is refused for %s parts", (parts) => {
    expect(codeOf(() => strictWindow({ limit: 1, per: "1m", parts }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
  });

  it("names the option and the value in its message", () => {
    expect(() => window({ limit: -5, per: "1m" })).toThrow(
      "limit must be a whole number from 1 to 9007199254740991, got -5",
    );
  });
});

const one = window({ limit: 1, per: "1m" });

function loginAndSearch(login: Limit, search: Limit) {
  return createRateLimiter({ policies: { login, search } });
}

describe("a limiter that is malformed", () => {
  it.each<[string, unknown]>([
    ["no limit", []],
    ["nothing", undefined],
    ["a number", 5],
    ["something else", { limit: 5 }],
    ["limits without names", [one, one]],
    ["limits of one name", [window({ name: "a", limit: 1, per: 1 }), window({ name: "a", limit: 2, per: 2 })]],
    ["too many limits", Array.from({ length: 17 }, (_, index) => window({ name: `n${index}`, limit: 1, per: 1 }))],
    ["an unknown onStoreError", { limits: one, onStoreError: "open" }],
    ["a lease without a bucket", { limits: one, lease: "1s" }],
    ["a lease of several", { limits: [one, bucket({ capacity: 1, refill: 1, every: 1 })], lease: "1s" }],
    ["denied calls that count in a log", { limits: slidingLog({ limit: 1, per: 1 }), countDenied: true }],
    ["denied calls that count in slots", { limits: concurrency({ limit: 1, lease: 1 }), countDenied: true }],
    [
      "denied calls that count in a lease",
      { limits: bucket({ capacity: 1, refill: 1, every: 1 }), lease: "1s", countDenied: true },
    ],
    ["an unknown mode", { limits: one, mode: "on" }],
    ["a lease that is too long", { limits: bucket({ capacity: 1, refill: 1, every: 1 }), lease: "61s" }],
  ])("is refused for a policy of %s", (_, policy) => {
    expect(codeOf(() => createRateLimiter({ policies: { p: policy as PolicyInput } }))).toBe(
      "ERR_SLUICE_INVALID_ARGUMENT",
    );
  });

  it("is refused where two policies mean different limits by one name, and lets equal ones share a count", async () => {
    const [few, many] = [10, 100].map((limit) => window({ name: "minute", limit, per: "1m" }));
    const hour = window({ name: "minute", limit: 100, per: "1h" });
    if (!few || !many) throw new Error("There are no limits.");
    expect(() => loginAndSearch(few, many)).toThrow('equal to that of "login"');
    const slow = bucket({ name: "b", capacity: 5, refill: 1, every: "1s" });
    expect(codeOf(() => loginAndSearch(slow, { ...slow, refill: 2 }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    expect(Object.keys(loginAndSearch(few, hour).policies)).toEqual(["login", "search"]);
    const sharing = loginAndSearch(few, { ...few });
    await sharing.consume("login", byUser("42"));
    expect((await sharing.consume("search", byUser("42"))).limits[0]?.remaining).toBe(8);
  });

  it("is refused for options that are none", () => {
    const wrong: readonly Partial<RateLimiterOptions<"p">>[] = [
      { instances: 0 },
      { denyCache: -1 },
      { denyCache: 1.5 },
      { exempt: "rate:user:42" as never },
      { exempt: ["rate:user:42"] as never },
      { onStoreError: "open" as "allow" },
      { mode: "enforced" as "enforce" },
      { policies: { p: { limits: one, mode: "on" as "off" } } },
      { policies: undefined as never },
      { policies: { "a b": one } as never },
    ];
    for (const options of wrong) {
      expect(codeOf(() => createRateLimiter({ policies: { p: one }, ...options }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
    for (const maxSubjects of [0, -1, Number.NaN]) {
      expect(codeOf(() => memoryStore({ maxSubjects }))).toBe("ERR_SLUICE_INVALID_ARGUMENT");
    }
  });
});

describe("a call that is malformed", () => {
  const limiter = createRateLimiter({
    policies: {
      p: one,
      q: [
        { ...one, name: "a" },
        { ...one, name: "b" },
      ],
    },
  });
  const user = byUser("42");

  it.each<[string, () => Promise<unknown>]>([
    ["an unknown policy", () => limiter.consume("nope" as "p", user)],
    ["a prototype's policy", () => limiter.consume("__proto__" as "p", user)],
    ["a subject that is a text", () => limiter.consume("p", "42" as never)],
    ["no subject", () => limiter.consume("p", undefined as never)],
    ["a cost of 0", () => limiter.consume("p", user, { cost: 0 })],
    ["a cost of -1", () => limiter.consume("p", user, { cost: -1 })],
    ["a cost of 1.5", () => limiter.consume("p", user, { cost: 1.5 })],
    ["a cost that is no number", () => limiter.consume("p", user, { cost: Number.NaN })],
    ["no demands", () => limiter.consumeAll([])],
    [
      "too many demands",
      () => limiter.consumeAll(Array.from({ length: 17 }, () => ({ policy: "p" as const, subject: user }))),
    ],
    [
      "a demand that occurs twice",
      () =>
        limiter.consumeAll([
          { policy: "p", subject: user },
          { policy: "p", subject: user },
        ]),
    ],
    [
      "a mode that is none",
      () => createRateLimiter({ policies: { p: one }, mode: () => "on" as "off" }).consume("p", user),
    ],
    [
      "a mode that is none, among several demands",
      () =>
        createRateLimiter({ policies: { p: one }, mode: () => "on" as "off" }).consumeAll([
          { policy: "p", subject: user },
        ]),
    ],
    ["a wait that is none", () => limiter.acquire("p", user, { maxWait: "soon" as "1s" })],
    ["a block for no time", () => limiter.block(user, 0)],
    ["a block for ever", () => limiter.block(user, "3661d")],
    ["an override without a name", () => limiter.override("q", user, { limit: 5, for: "1h" })],
    ["an override of an unknown limit", () => limiter.override("q", user, { name: "c", limit: 5, for: "1h" })],
    ["an override of 0", () => limiter.override("p", user, { limit: 0, for: "1h" })],
    ["an override that is too large", () => limiter.override("p", user, { limit: 2 ** 52, for: "1h" })],
    ["a refill of a window", () => limiter.override("p", user, { limit: 5, refill: 1, for: "1h" })],
  ])("is refused before anything is done: %s", async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
    expect((await limiter.inspect(user)).counters).toEqual([]);
  });

  it("is refused when it costs more than its limit, and nothing is spent", async () => {
    await expect(limiter.consume("p", user, { cost: 2 })).rejects.toMatchObject({
      code: "ERR_SLUICE_COST_EXCEEDS_LIMIT",
      limitName: "p",
      cost: 2,
      limit: 1,
    });
    expect((await limiter.check("p", user)).limits[0]?.remaining).toBe(1);
  });
});
