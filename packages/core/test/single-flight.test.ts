import { describe, expect, it, vi } from "vitest";

import { createSingleFlight, eventChannel, hasCode, type UnsharedRunEvent } from "../src/index.ts";
import { thrownBy } from "./thrown.ts";

interface Deferred {
  readonly work: (signal: AbortSignal) => Promise<string>;
  readonly calls: AbortSignal[];
  readonly resolve: (value: string) => void;
  readonly reject: (error: unknown) => void;
}

function deferred(): Deferred {
  const calls: AbortSignal[] = [];
  let settle: Pick<Deferred, "resolve" | "reject"> = { resolve() {}, reject() {} };
  const work = (signal: AbortSignal): Promise<string> => {
    calls.push(signal);
    return new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
  };
  return { work, calls, resolve: (value) => settle.resolve(value), reject: (error) => settle.reject(error) };
}

/** Lets all settled promises run their reactions. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("single flight", () => {
  it("runs once for all callers of a key", async () => {
    const flights = createSingleFlight<string>();
    const { work, calls, resolve } = deferred();
    const callers = [flights.run("a", work), flights.run("a", work), flights.run("a", work)];
    expect(calls.length).toBe(1);
    expect(flights.size).toBe(1);
    resolve("value");
    expect(await Promise.all(callers)).toEqual(["value", "value", "value"]);
    expect(flights.size).toBe(0);
  });

  it("keeps different keys apart", async () => {
    const flights = createSingleFlight<string>();
    const keys = ["__proto__", "constructor", "", "a"];
    const results = await Promise.all(keys.map((key) => flights.run(key, async () => `value of ${key}`)));
    expect(results).toEqual(keys.map((key) => `value of ${key}`));
  });

  it("shares a failure and does not remember it", async () => {
    const flights = createSingleFlight<string>();
    const { work, reject } = deferred();
    const failure = new Error("load");
    const callers = [flights.run("a", work), flights.run("a", work)];
    reject(failure);
    const outcomes = await Promise.allSettled(callers);
    expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason)).toEqual([failure, failure]);
    expect(await flights.run("a", async () => "anew")).toBe("anew");
  });

  it("frees the key before any caller goes on", async () => {
    const flights = createSingleFlight<string>();
    const { work, reject } = deferred();
    const retried = flights.run("a", work).catch(() => flights.run("a", async () => "retried"));
    reject(new Error("load"));
    expect(await retried).toBe("retried");
  });

  it("turns what the work throws into a rejection", async () => {
    const flights = createSingleFlight<string>();
    const failure = new Error("at once");
    const outcome = flights.run("a", () => {
      throw failure;
    });
    await expect(outcome).rejects.toBe(failure);
    expect(flights.size).toBe(0);
  });

  it("lets one caller leave without the others", async () => {
    const flights = createSingleFlight<string>();
    const { work, calls, resolve } = deferred();
    const leaver = new AbortController();
    const first = flights.run("a", work, { signal: leaver.signal });
    const second = flights.run("a", work);
    leaver.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    expect(calls[0]?.aborted).toBe(false);
    expect(flights.size).toBe(1);
    resolve("value");
    expect(await second).toBe("value");
  });

  it("aborts the work when all callers have gone", async () => {
    const flights = createSingleFlight<string>();
    const { work, calls } = deferred();
    const leavers = [new AbortController(), new AbortController()];
    const [first, last] = leavers.map(({ signal }) => flights.run("a", work, { signal }));
    leavers[0]?.abort(new Error("first"));
    await expect(first).rejects.toThrow("first");
    expect(calls[0]?.aborted).toBe(false);
    leavers[1]?.abort(new Error("last"));
    expect(calls[0]?.reason).toEqual(new Error("last"));
    expect(flights.size).toBe(0);
    await expect(last).rejects.toThrow("last");
  });

  it("never runs for a caller that has gone already", async () => {
    const flights = createSingleFlight<string>();
    const { work, calls } = deferred();
    await expect(flights.run("a", work, { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(calls).toEqual([]);
  });

  it("keeps a late old run away from a newer one", async () => {
    const flights = createSingleFlight<string>();
    const old = deferred();
    const leaver = new AbortController();
    const gone = flights.run("a", old.work, { signal: leaver.signal });
    leaver.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    const newer = deferred();
    const first = flights.run("a", newer.work);
    old.resolve("old");
    await turn();
    const second = flights.run("a", newer.work);
    expect(newer.calls.length).toBe(1);
    newer.resolve("new");
    expect(await Promise.all([first, second])).toEqual(["new", "new"]);
  });

  it("begins anew after forget while the old runs on", async () => {
    const flights = createSingleFlight<string>();
    const old = deferred();
    const newer = deferred();
    const first = flights.run("a", old.work);
    expect(flights.forget("a")).toBe(true);
    expect(flights.forget("a")).toBe(false);
    const second = flights.run("a", newer.work);
    expect(old.calls[0]?.aborted).toBe(false);
    old.resolve("old");
    expect(await first).toBe("old");
    expect(flights.size).toBe(1);
    newer.resolve("new");
    expect(await second).toBe("new");
  });

  it("lets the work forget its own key", async () => {
    const flights = createSingleFlight<number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      flights.forget("a");
      await Promise.resolve();
      return (runs += 1);
    };
    expect(await Promise.all([flights.run("a", work), flights.run("a", work)])).toEqual([1, 2]);
  });

  it("lets a caller join while the work begins", async () => {
    const flights = createSingleFlight<string>();
    const joined: Promise<string>[] = [];
    const work = async (): Promise<string> => {
      joined.push(flights.run("a", async () => "second"));
      return "first";
    };
    expect(await flights.run("a", work)).toBe("first");
    expect(await joined[0]).toBe("first");
  });

  it("runs calls beyond its bound unshared, and says so", async () => {
    const heard: UnsharedRunEvent[] = [];
    const stop = eventChannel<UnsharedRunEvent>("sluice:core").subscribe((event) => heard.push(event));
    const flights = createSingleFlight<string>({ maxKeys: 1 });
    const bound = deferred();
    const over = deferred();
    const first = flights.run("a", bound.work);
    const unshared = [flights.run("b", over.work), flights.run("b", async () => "alone")];
    const joined = flights.run("a", bound.work);
    stop();
    expect(bound.calls.length).toBe(1);
    expect(flights.size).toBe(1);
    expect(heard).toEqual([
      { type: "single-flight.unshared", maxKeys: 1 },
      { type: "single-flight.unshared", maxKeys: 1 },
    ]);
    bound.resolve("shared");
    over.resolve("value");
    expect(await Promise.all([first, joined, ...unshared])).toEqual(["shared", "shared", "value", "alone"]);
  });

  it("leaves no rejection unhandled", async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", unhandled);
    const flights = createSingleFlight<string>();
    const { work, reject } = deferred();
    const leaver = new AbortController();
    const caller = flights.run("a", work, { signal: leaver.signal }).catch(() => "left");
    leaver.abort();
    reject(new Error("nobody waits"));
    expect(await caller).toBe("left");
    await turn();
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("leaves no listener on a signal", async () => {
    const flights = createSingleFlight<string>();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    await flights.run("a", async () => "value", { signal });
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1]);
  });

  it.each([0, 1.5, Number.NaN, -1])("refuses a bound of %d keys", (maxKeys) => {
    const error = thrownBy(() => createSingleFlight({ maxKeys }));
    expect(hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT")).toBe(true);
    expect(String(error)).toContain(String(maxKeys));
  });
});
