import { seededRandom } from "@sluice/core";
import { createFakeClock, testSeed } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import {
  bucket,
  byUser,
  createRateLimiter,
  fixedWindow,
  memoryStore,
  strictWindow,
  window,
  type Mode,
  type RateLimitStore,
} from "../src/index.ts";
import { heard } from "./heard.ts";

const user = byUser("42");
const policies = {
  window: window({ limit: 5, per: 40 }),
  fixed: fixedWindow({ limit: 5, per: 40 }),
  tokens: bucket({ capacity: 5, refill: 1, every: 10 }),
};

function made(store: RateLimitStore, clock = createFakeClock(), mode: () => Mode = () => "enforce") {
  return { clock, limiter: createRateLimiter({ store, clock, policies, mode }) };
}

function inMemory(mode?: () => Mode) {
  const clock = createFakeClock();
  return made(memoryStore({ clock }), clock, mode);
}

/** The same store without its shortcut. */
function longWay(store: RateLimitStore): RateLimitStore {
  return {
    take: (asks, options) => store.take(asks, options),
    adjust: (key, changes) => store.adjust(key, changes),
    mark: (key, mark) => store.mark(key, mark),
    reset: (key, limits) => store.reset(key, limits),
    inspect: (key) => store.inspect(key),
  };
}

describe("the shortcut of a store in memory", () => {
  it("decides, and is corrected, as the long way is", async () => {
    const random = seededRandom(testSeed());
    const clock = createFakeClock();
    const short = made(memoryStore({ clock }), clock).limiter;
    const long = made(longWay(memoryStore({ clock })), clock).limiter;
    for (let call = 0; call < 600; call += 1) {
      const policy = (["window", "fixed", "tokens"] as const)[random.integer(0, 3)] ?? "window";
      const cost = random.integer(1, 4);
      const [one, other] = [await short.consume(policy, user, { cost }), await long.consume(policy, user, { cost })];
      const facts = ({ allowed, via, retryAfterMs, limits }: typeof one) => ({ allowed, via, retryAfterMs, limits });
      expect(facts(one)).toEqual(facts(other));
      const corrections = random.integer(0, 3) === 0 ? [random.integer(0, 4), random.integer(0, 4)] : [];
      for (const actual of corrections) expect(await one.settle(actual)).toBe(await other.settle(actual));
      clock.stepWall(random.integer(0, 9) === 0 ? random.integer(-60, 90) : random.integer(0, 6));
    }
  });

  it("denies a blocked subject though it has called before", async () => {
    const { limiter } = inMemory();
    for (let call = 0; call < 2; call += 1) await limiter.consume("window", user);
    await limiter.block(user, "1m");
    expect((await limiter.consume("window", user)).allowed).toBe(false);
  });

  it("is back when no subject is blocked any more, be it that blocks have ended or that they were lifted", async () => {
    const clock = createFakeClock();
    const store = memoryStore({ clock });
    const { limiter } = made(store, clock);
    const [limit] = limiter.policies.window;
    await limiter.consume("window", user);
    const isShort = () => limit !== undefined && store.hit?.(user.key, limit, 1) !== undefined;
    expect(isShort()).toBe(true);
    for (const other of ["43", "44"]) await limiter.block(byUser(other), 30);
    expect(isShort()).toBe(false);
    clock.stepWall(29);
    expect(isShort()).toBe(false);
    clock.stepWall(1);
    expect(isShort()).toBe(true);
    await limiter.block(byUser("43"), "1h");
    await limiter.reset(byUser("43"));
    expect(isShort()).toBe(true);
  });

  it.each([1, 2])("is not taken for a strict window, of one piece or of many: %i", async (parts) => {
    const clock = createFakeClock();
    const strict = strictWindow({ limit: 3, per: 10, parts });
    const limiter = createRateLimiter({ store: memoryStore({ clock }), clock, policies: { strict } });
    const call = async () => (await limiter.consume("strict", user)).allowed;
    expect([await call(), await call()]).toEqual([true, true]);
    // The piece before counts in full.
    clock.stepWall(10);
    expect([await call(), await call()]).toEqual([true, false]);
  });

  it("counts nothing while the limiter is off, and tells what it lets through", async () => {
    let mode: Mode = "enforce";
    const { limiter } = inMemory(() => mode);
    const events = heard();
    for (let call = 0; call < 2; call += 1) await limiter.consume("fixed", user);
    expect(events.map(({ type }) => type)).toEqual(["decision", "decision"]);
    mode = "off";
    expect((await limiter.consume("fixed", user)).via).toBe("off");
    mode = "enforce";
    expect((await limiter.check("fixed", user)).limits[0]?.remaining).toBe(3);
  });
});
