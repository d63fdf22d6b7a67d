import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { byKey, byUser, createRateLimiter, window } from "../src/index.ts";
import { fakeStore } from "./fake-store.ts";
import { heard } from "./heard.ts";

const user = byUser("42");
const monitor = byKey("monitor");
const policies = {
  login: { limits: window({ limit: 3, per: "1m" }), countDenied: true },
  browse: window({ limit: 3, per: "1m" }),
} as const;

function made(options: object = {}) {
  const clock = createFakeClock();
  const store = fakeStore({ clock });
  return { clock, store, limiter: createRateLimiter({ policies, store, clock, ...options }) };
}

describe("a limiter with exceptions", () => {
  it("asks the store each time where denied calls count", async () => {
    const { limiter, store } = made();
    for (let call = 0; call < 20; call += 1) await limiter.consume("login", user);
    expect(store.calls.length).toBe(20);
    for (let call = 0; call < 20; call += 1) await limiter.consume("browse", user);
    expect(store.calls.length).toBe(24);
  });

  it("keeps out who keeps calling where denied calls count, and lets in who pauses", async () => {
    const { limiter, clock } = made({ denyCache: 0 });
    const passed = { login: 0, browse: 0 };
    for (let second = 0; second < 300; second += 1) {
      for (const policy of ["login", "browse"] as const) {
        passed[policy] += (await limiter.consume(policy, user)).allowed ? 1 : 0;
      }
      clock.stepWall(1000);
    }
    expect(passed.login).toBe(3);
    expect(passed.browse).toBeGreaterThan(10);
    const { retryAfterMs } = await limiter.check("login", user);
    expect(retryAfterMs).toBeLessThanOrEqual(120_000);
    clock.stepWall(retryAfterMs);
    expect((await limiter.consume("login", user)).allowed).toBe(true);
  });

  it.each([
    ["a list", [monitor]],
    ["a function", ({ key }: typeof monitor) => key === monitor.key],
  ])("never limits nor counts an exempt subject, alone or among others, by %s", async (_, exempt) => {
    const { limiter, store } = made({ exempt });
    const events = heard();
    for (let call = 0; call < 10; call += 1) {
      expect(await limiter.consume("browse", monitor)).toMatchObject({ allowed: true, via: "exempt", limits: [] });
      expect((await limiter.check("browse", monitor)).via).toBe("exempt");
      expect((await limiter.consumeAll([{ policy: "browse", subject: monitor }])).via).toBe("exempt");
    }
    expect([store.calls, events]).toEqual([[], []]);
    const together = await limiter.consumeAll([
      { policy: "browse", subject: monitor },
      { policy: "browse", subject: user },
    ]);
    expect(together.limits.map(({ remaining }) => remaining)).toEqual([2]);
    expect((await limiter.inspect(monitor)).counters).toEqual([]);
  });

  it("has no exceptions where none are listed", async () => {
    const { limiter } = made({ exempt: [] });
    expect((await limiter.consume("browse", monitor)).via).toBe("store");
  });
});
