import { sleep } from "@sluice/core";
import { createFakeClock } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { testSeed } from "../src/seed.ts";

const turn = globalThis.setImmediate;

describe("a fake clock", () => {
  it("stands still until it is advanced", async () => {
    const clock = createFakeClock({ nowMs: 1000 });
    await new Promise((resolve) => turn(resolve));
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  it("runs a timer at its time and not before", async () => {
    const clock = createFakeClock();
    const ran: number[] = [];
    clock.schedule(100, () => ran.push(clock.monotonic()));
    await clock.advance(99);
    expect(ran).toEqual([]);
    await clock.advance(1);
    expect(ran).toEqual([100]);
    await clock.advance(1000);
    expect(ran).toEqual([100]);
  });

  it("shows a timer the time it was due, not the end of the advance", async () => {
    const clock = createFakeClock({ nowMs: 5000 });
    const seen: number[] = [];
    clock.schedule(30, () => seen.push(clock.monotonic(), clock.now()));
    await clock.advance(1000);
    expect(seen).toEqual([30, 5030]);
  });

  it("runs timers of one instant in the order they were made", async () => {
    const clock = createFakeClock();
    const ran: string[] = [];
    clock.schedule(20, () => ran.push("late"));
    for (const name of ["first", "second", "third"]) clock.schedule(10, () => ran.push(name));
    await clock.advance(20);
    expect(ran).toEqual(["first", "second", "third", "late"]);
  });

  it("keeps the order when a timer schedules more timers", async () => {
    const clock = createFakeClock();
    const wokenAt: number[] = [];
    async function poll(): Promise<void> {
      for (let round = 0; round < 5; round += 1) {
        await sleep(clock, 10);
        // A batch that leaves at the end of its turn, as stores have it.
        await new Promise((resolve) => turn(resolve));
        wokenAt.push(clock.monotonic());
      }
    }
    const polling = poll();
    clock.schedule(45, () => undefined);
    await clock.advance(50);
    expect(wokenAt).toEqual([10, 20, 30, 40, 50]);
    await polling;
  });

  it("forgets a cancelled timer, even one of the same instant", async () => {
    const clock = createFakeClock();
    const ran: string[] = [];
    clock.schedule(10, () => second.cancel());
    const second = clock.schedule(10, () => ran.push("second"));
    clock.schedule(10, () => ran.push("third"));
    expect(clock.pendingTimers).toBe(3);
    await clock.advance(10);
    expect(ran).toEqual(["third"]);
    expect(clock.pendingTimers).toBe(0);
    const late = clock.schedule(50, () => ran.push("late"));
    clock.schedule(5, () => ran.push("early"));
    late.cancel();
    late.cancel();
    await clock.advance(50);
    expect(ran).toEqual(["third", "early"]);
  });

  it("runs a timer without delay at the next advance", async () => {
    const clock = createFakeClock();
    let ran = 0;
    clock.schedule(0, () => (ran += 1));
    clock.schedule(-5, () => (ran += 1));
    expect(ran).toBe(0);
    await clock.advance(0);
    expect([ran, clock.monotonic()]).toEqual([2, 0]);
  });

  it("steps the wall clock without running timers", async () => {
    const clock = createFakeClock({ nowMs: 10_000 });
    let ran = false;
    clock.schedule(100, () => (ran = true));
    clock.stepWall(-4000);
    expect([clock.now(), clock.monotonic(), ran]).toEqual([6000, 0, false]);
    await clock.advance(100);
    expect([clock.now(), clock.monotonic(), ran]).toEqual([6100, 100, true]);
  });

  it("keeps fractions in monotonic time and whole milliseconds in wall time", async () => {
    const clock = createFakeClock({ nowMs: 7 });
    await clock.advance(0.75);
    await clock.advance(0.5);
    expect([clock.now(), clock.monotonic()]).toEqual([8, 1.25]);
  });

  it("rejects with what a timer throws, and goes on afterwards", async () => {
    const clock = createFakeClock();
    clock.schedule(10, () => {
      throw new RangeError("sweep failed");
    });
    let ran = false;
    clock.schedule(20, () => (ran = true));
    await expect(clock.advance(50)).rejects.toThrow("sweep failed");
    expect([clock.monotonic(), ran]).toEqual([10, false]);
    await clock.advance(10);
    expect(ran).toBe(true);
  });

  it("adds up overlapping advances", async () => {
    const clock = createFakeClock();
    const seen: number[] = [];
    clock.schedule(15, () => seen.push(clock.monotonic()));
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect([clock.monotonic(), ...seen]).toEqual([20, 15]);
  });

  it("ends an advance when a timer schedules itself without delay", async () => {
    const clock = createFakeClock();
    const again = (): void => void clock.schedule(0, again);
    again();
    await expect(clock.advance(1)).rejects.toThrow("10000 timers ran without the time moving on");
  });

  it("refuses times that are no finite numbers", async () => {
    const clock = createFakeClock();
    await expect(clock.advance(-1)).rejects.toThrow("ms must be finite and at least 0, got -1");
    await expect(clock.advance(Number.NaN)).rejects.toThrow("got NaN");
    expect(() => clock.stepWall(Infinity)).toThrow("ms must be finite");
    expect(() => clock.schedule(Number.NaN, () => undefined)).toThrow("delayMs must be finite, got NaN");
    expect(() => createFakeClock({ nowMs: 0.5 })).toThrow("nowMs must be a safe integer, got 0.5");
  });

  it("agrees with a plain sort for any set of timers", async () => {
    const timer = fc.record({ delayMs: fc.integer({ min: 0, max: 20 }), cancelled: fc.boolean() });
    const property = fc.asyncProperty(fc.array(timer, { maxLength: 40 }), fc.integer({ min: 0, max: 20 }), agrees);
    await fc.assert(property, { seed: testSeed() | 0, numRuns: 60 });
  });
});

async function agrees(timers: { delayMs: number; cancelled: boolean }[], untilMs: number): Promise<void> {
  const clock = createFakeClock();
  const ran: number[] = [];
  const handles = timers.map(({ delayMs }, index) => clock.schedule(delayMs, () => ran.push(index)));
  for (const [index, { cancelled }] of timers.entries()) if (cancelled) handles[index]!.cancel();
  const kept = timers.map((timer, index) => ({ ...timer, index })).filter(({ cancelled }) => !cancelled);
  await clock.advance(untilMs);
  const due = kept.filter(({ delayMs }) => delayMs <= untilMs).toSorted((a, b) => a.delayMs - b.delayMs);
  expect(ran).toEqual(due.map(({ index }) => index));
  expect(clock.pendingTimers).toBe(kept.length - due.length);
}
