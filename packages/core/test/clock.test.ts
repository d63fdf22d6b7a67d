import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { sleep, systemClock } from "../src/index.ts";
import { thrownBy } from "./thrown.ts";

const dayMs = 86_400_000;

/** Timeouts that fire one by one, each taking exactly its time. Their handles are 1, 2, 3. */
function patchedTimeouts(): { next(): number | undefined } {
  const asked: { readonly fire: () => void; readonly delayMs: number }[] = [];
  let elapsedMs = 0;
  let handle = 0;
  vi.spyOn(performance, "now").mockImplementation(() => elapsedMs);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((fire: () => void, delayMs: number) => {
    asked.push({ fire, delayMs });
    return (handle += 1);
  }) as unknown as typeof globalThis.setTimeout);
  return {
    next() {
      const timeout = asked.shift();
      elapsedMs += timeout?.delayMs ?? 0;
      timeout?.fire();
      return timeout?.delayMs;
    },
  };
}

describe("the system clock", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("tells wall time and monotonic time", () => {
    vi.setSystemTime(1_700_000_000_000);
    expect(systemClock.now()).toBe(1_700_000_000_000);
    const startMs = systemClock.monotonic();
    vi.advanceTimersByTime(250);
    expect(systemClock.monotonic() - startMs).toBe(250);
  });

  it("runs a call once, on time", () => {
    const call = vi.fn<() => void>();
    systemClock.schedule(1000, call);
    vi.advanceTimersByTime(999);
    expect(call).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(call).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it("honours delays beyond 2^31 milliseconds", () => {
    const legs = patchedTimeouts();
    const call = vi.fn<() => void>();
    systemClock.schedule(60 * dayMs, call);
    expect(legs.next()).toBe(2 ** 31 - 1);
    expect(legs.next()).toBe(2 ** 31 - 1);
    expect(call).not.toHaveBeenCalled();
    expect(legs.next()).toBe(60 * dayMs - 2 * (2 ** 31 - 1));
    expect(call).toHaveBeenCalledTimes(1);
    expect(legs.next()).toBe(undefined);
  });

  it("cancels a long delay after its first leg", () => {
    const legs = patchedTimeouts();
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    const timer = systemClock.schedule(60 * dayMs, () => {});
    legs.next();
    timer.cancel();
    timer.cancel();
    expect(cleared.mock.calls).toEqual([[2], [2]]);
  });

  it("never asks setTimeout for more than it can count", () => {
    const native = vi.spyOn(globalThis, "setTimeout");
    systemClock.schedule(1e15, () => {}).cancel();
    systemClock.schedule(0.25, () => {}).cancel();
    systemClock.schedule(-5, () => {}).cancel();
    expect(native.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2 ** 31 - 1, 1, 0]);
  });

  it("waits on when a timer fires early", () => {
    let elapsedMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => elapsedMs);
    const call = vi.fn<() => void>();
    systemClock.schedule(10, call);
    elapsedMs = 9.4;
    vi.advanceTimersByTime(10);
    expect(call).not.toHaveBeenCalled();
    elapsedMs = 10;
    vi.advanceTimersByTime(1);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it("never runs a call before schedule returns", () => {
    const call = vi.fn<() => void>();
    systemClock.schedule(-1, call);
    expect(call).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it.each([Number.NaN, Infinity, -Infinity])("refuses a delay of %d", (delayMs) => {
    expect(thrownBy(() => systemClock.schedule(delayMs, () => {}))).toMatchObject({ argument: "delayMs" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a background timer", () => {
  it("lets the process end, a foreground timer does not", () => {
    const unref = vi.spyOn(globalThis, "setTimeout");
    const timers = [undefined, { background: true }, { background: false }].map((options) =>
      systemClock.schedule(60_000, () => {}, options),
    );
    const held = unref.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef());
    for (const timer of timers) timer.cancel();
    unref.mockRestore();
    expect(held).toEqual([true, false, true]);
  });
});

describe("sleep", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("resolves after its time", async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    let isAwake = false;
    const sleeper = sleep(systemClock, 1000, signal).then(() => (isAwake = true));
    await vi.advanceTimersByTimeAsync(999);
    expect(isAwake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await sleeper).toBe(true);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it("rejects at once and leaves no timer when aborted", async () => {
    const controller = new AbortController();
    const sleeper = sleep(systemClock, 1000, controller.signal);
    expect(vi.getTimerCount()).toBe(1);
    const reason = new Error("shutting down");
    controller.abort(reason);
    expect(vi.getTimerCount()).toBe(0);
    await expect(sleeper).rejects.toBe(reason);
  });

  it("begins no timer for a signal that has aborted", async () => {
    const reason = new Error("too late");
    await expect(sleep(systemClock, 1000, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects a length that is not finite", async () => {
    await expect(sleep(systemClock, Number.NaN)).rejects.toMatchObject({ code: "ERR_SLUICE_INVALID_ARGUMENT" });
  });
});
