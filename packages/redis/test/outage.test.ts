import { createFakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";

import { createOutageBreaker } from "../src/breaker.ts";
import { createDeadlines, Wait } from "../src/deadlines.ts";

class Named extends Wait {
  readonly #expired: string[];
  readonly #name: string;

  constructor(expired: string[], name: string) {
    super();
    this.#expired = expired;
    this.#name = name;
  }

  expire(): void {
    this.#expired.push(this.#name);
  }
}

describe("deadlines", () => {
  it("fall due one by one on a single timer", async () => {
    const clock = createFakeClock();
    const expired: string[] = [];
    const deadlines = createDeadlines(clock);
    deadlines.start(new Named(expired, "first"), 100);
    await clock.advance(60);
    deadlines.start(new Named(expired, "second"), 100);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(39);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(["first"]);
    await clock.advance(59);
    expect(expired).toEqual(["first"]);
    await clock.advance(1);
    expect(expired).toEqual(["first", "second"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("that are met never fall due, in whatever order", async () => {
    const clock = createFakeClock();
    const expired: string[] = [];
    const deadlines = createDeadlines(clock);
    const waits = ["a", "b", "c", "d"].map((name) => new Named(expired, name));
    for (const wait of waits) deadlines.start(wait, 100);
    for (const index of [2, 0, 3]) deadlines.met(waits[index] as Wait);
    await clock.advance(200);
    expect(expired).toEqual(["b"]);
  });

  it("of different lengths fall due in their order, also the one that came last", async () => {
    const clock = createFakeClock();
    const expired: string[] = [];
    const deadlines = createDeadlines(clock);
    for (const ms of [100, 300, 200, 50]) deadlines.start(new Named(expired, `${ms} ms`), ms);
    expect([deadlines.waiting().length, clock.pendingTimers]).toEqual([4, 1]);
    await clock.advance(50);
    expect(expired).toEqual(["50 ms"]);
    for (const ms of [50, 100, 100]) await clock.advance(ms);
    expect(expired).toEqual(["50 ms", "100 ms", "200 ms", "300 ms"]);
    expect([deadlines.waiting().length, clock.pendingTimers]).toEqual([0, 0]);
  });

  it("fall due once even when ten thousand were met before", async () => {
    const clock = createFakeClock();
    const expired: string[] = [];
    const deadlines = createDeadlines(clock);
    deadlines.start(new Named(expired, "early"), 100);
    for (let index = 0; index < 10_000; index += 1) {
      const wait = new Named(expired, "met");
      deadlines.start(wait, 100);
      deadlines.met(wait);
    }
    deadlines.start(new Named(expired, "late"), 100);
    await clock.advance(100);
    expect(expired).toEqual(["early", "late"]);
  });
});

function created() {
  const clock = createFakeClock();
  const changes: boolean[] = [];
  const onChange = (open: boolean): void => void changes.push(open);
  return { clock, changes, breaker: createOutageBreaker({ clock, failures: 3, probeMs: 1000, onChange }) };
}

describe("the outage breaker", () => {
  it("opens after three silent calls in a row, not after three in all", () => {
    const { breaker, changes } = created();
    breaker.silent();
    breaker.silent();
    breaker.alive();
    breaker.silent();
    breaker.silent();
    expect(breaker.admits()).toBe(true);
    breaker.silent();
    expect(breaker.admits()).toBe(false);
    expect(changes).toEqual([true]);
  });

  it("opens at once when no connection can be made", () => {
    const { breaker } = created();
    breaker.away();
    expect(breaker.admits()).toBe(false);
  });

  it("lets one probe a second through, also when a probe never ends", async () => {
    const { breaker, clock } = created();
    breaker.away();
    await clock.advance(999);
    expect(breaker.admits()).toBe(false);
    await clock.advance(1);
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
    await clock.advance(1000);
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
  });

  it("closes on any sign of life", async () => {
    const { breaker, changes } = created();
    breaker.away();
    breaker.alive();
    expect(breaker.admits()).toBe(true);
    expect(changes).toEqual([true, false]);
  });
});
