import { AsyncLocalStorage } from "node:async_hooks";
import { channel, subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";

import { beforeAll, describe, expect, it, vi } from "vitest";

import * as telemetry from "../src/telemetry.ts";
import { thrownBy, uncaughtAfter } from "./thrown.ts";

const moments = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

function recorder(): { moments: string[]; listeners: telemetry.TraceListeners<{ id: number }>; messages: object[] } {
  const heard: string[] = [];
  const messages: object[] = [];
  const listeners = Object.fromEntries(
    moments.map((moment) => [
      moment,
      (message: object) => {
        heard.push(moment);
        messages.push({ ...message });
      },
    ]),
  );
  return { moments: heard, listeners, messages };
}

describe.each(["node", "portable"])("telemetry on %s channels", (platform) => {
  let eventChannel: typeof telemetry.eventChannel;
  let traceChannel: typeof telemetry.traceChannel;

  beforeAll(async () => {
    vi.resetModules();
    vi.doMock("#channel", () =>
      platform === "node" ? import("../src/channel.node.ts") : import("../src/channel.portable.ts"),
    );
    ({ eventChannel, traceChannel } = await import("../src/telemetry.ts"));
    vi.doUnmock("#channel");
  });

  it("delivers events to its listeners", () => {
    const events = eventChannel<{ key: string }>(`sluice:deliver-${platform}`);
    const heard: unknown[] = [];
    const stop = events.subscribe((event) => heard.push(event));
    expect(events.hasSubscribers).toBe(true);
    const event = { key: "a" };
    events.publish(event);
    stop();
    events.publish({ key: "b" });
    expect(heard).toEqual([event]);
    expect(heard[0]).toBe(event);
    expect(events.hasSubscribers).toBe(false);
  });

  it("removes only the own subscription, however often", () => {
    const events = eventChannel<number>(`sluice:remove-${platform}`);
    const heard: number[] = [];
    const listener = (event: number): unknown => heard.push(event);
    const stopFirst = events.subscribe(listener);
    events.subscribe(listener);
    stopFirst();
    stopFirst();
    events.publish(1);
    expect(heard).toEqual([1]);
  });

  it("does not break a publisher by a throwing listener", async () => {
    const events = eventChannel<number>(`sluice:throw-${platform}`);
    const failure = new Error("listener");
    events.subscribe(() => {
      throw failure;
    });
    expect(await uncaughtAfter(() => events.publish(1))).toBe(failure);
  });

  it("announces success in the order of Node", async () => {
    const trace = traceChannel<{ id: number }>(`sluice:trace-${platform}:success`);
    const { moments: heard, listeners, messages } = recorder();
    const stop = trace.subscribe(listeners);
    expect(trace.hasSubscribers).toBe(true);
    const result = { rows: 1 };
    expect(await trace.trace({ id: 1 }, async () => result)).toBe(result);
    expect(heard).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(messages).toEqual([{ id: 1 }, { id: 1 }, { id: 1, result }, { id: 1, result }]);
    stop();
    stop();
    expect(trace.hasSubscribers).toBe(false);
  });

  it("announces a rejection and passes it unchanged", async () => {
    const trace = traceChannel<{ id: number }>(`sluice:trace-${platform}:rejection`);
    const { moments: heard, listeners, messages } = recorder();
    trace.subscribe(listeners);
    const failure = new Error("work");
    await expect(trace.trace({ id: 1 }, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(heard).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
    expect(messages.at(-1)).toEqual({ id: 1, error: failure });
  });

  it("throws at once what the work throws at once", () => {
    const trace = traceChannel<{ id: number }>(`sluice:trace-${platform}:throw`);
    const failure = new Error("work");
    const work = (): Promise<never> => {
      throw failure;
    };
    expect(thrownBy(() => trace.trace({ id: 1 }, work))).toBe(failure);
    const { moments: heard, listeners } = recorder();
    trace.subscribe(listeners);
    expect(thrownBy(() => trace.trace({ id: 1 }, work))).toBe(failure);
    expect(heard).toEqual(["start", "error", "end"]);
  });

  it("runs the work once, heard or not", async () => {
    const trace = traceChannel<object>(`sluice:trace-${platform}:once`);
    const work = vi.fn<() => Promise<number>>(async () => 1);
    await trace.trace({}, work);
    expect(work).toHaveBeenCalledTimes(1);
    trace.subscribe({ asyncEnd: () => {} });
    await trace.trace({}, work);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it("is heard when only one moment is", async () => {
    for (const moment of moments) {
      const trace = traceChannel<object>(`sluice:trace-${platform}:only-${moment}`);
      let calls = 0;
      trace.subscribe({ [moment]: () => (calls += 1) });
      expect(trace.hasSubscribers).toBe(true);
      await trace
        .trace({}, () => (moment === "error" ? Promise.reject(new Error("x")) : Promise.resolve()))
        .catch(() => {});
      expect(calls).toBe(1);
    }
  });

  it("never fails the work over a frozen context", async () => {
    const trace = traceChannel<object>(`sluice:trace-${platform}:frozen`);
    trace.subscribe({ start: () => {} });
    await expect(trace.trace(Object.freeze({}), async () => 1)).resolves.toBe(1);
  });

  it("never fails the work over a throwing listener", async () => {
    const trace = traceChannel<object>(`sluice:trace-${platform}:hostile`);
    const failure = new Error("listener");
    trace.subscribe({
      start() {
        throw failure;
      },
    });
    let result: Promise<number> | undefined;
    const reported = await uncaughtAfter(() => {
      result = trace.trace({}, async () => 1);
    });
    expect(reported).toBe(failure);
    expect(await result).toBe(1);
  });
});

/** What a subscriber of Node's own tracing channel hears. */
async function heardByNode(name: string, run: (context: object) => Promise<unknown>): Promise<unknown[]> {
  const heard: unknown[] = [];
  const listeners = Object.fromEntries(
    moments.map((moment) => [moment, (message: object) => void heard.push([moment, { ...message }])]),
  );
  const traced = tracingChannel(name);
  traced.subscribe(listeners);
  await run({ id: 1 }).catch(() => {});
  traced.unsubscribe(listeners);
  return heard;
}

describe("telemetry beside node:diagnostics_channel", () => {
  it("reaches whoever subscribes to the event name", () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): unknown => heard.push(message);
    subscribe("sluice:interop", listener);
    const events = telemetry.eventChannel<number>("sluice:interop");
    expect(events.hasSubscribers).toBe(true);
    events.publish(1);
    unsubscribe("sluice:interop", listener);
    expect(heard).toEqual([1]);
  });

  it("hears what others publish under the name", () => {
    const heard: number[] = [];
    telemetry.eventChannel<number>("sluice:interop-back").subscribe((event) => heard.push(event));
    channel("sluice:interop-back").publish(2);
    expect(heard).toEqual([2]);
  });

  it("sends exactly what tracePromise would send", async () => {
    for (const work of [async () => 1, () => Promise.reject(new Error("work"))]) {
      const name = "sluice:interop:load";
      const ours = await heardByNode(name, (context) => telemetry.traceChannel(name).trace(context, work));
      const theirs = await heardByNode(name, (context) => tracingChannel(name).tracePromise(work, context));
      expect(ours).toEqual(theirs);
      expect(ours.length).toBeGreaterThan(3);
    }
  });

  it("holds a bound async context inside the work", async () => {
    const spans = new AsyncLocalStorage<string>();
    const start = channel("tracing:sluice:interop:span:start");
    start.bindStore(spans, () => "span");
    const work = async (): Promise<unknown> => {
      await Promise.resolve();
      return spans.getStore();
    };
    expect(await telemetry.traceChannel("sluice:interop:span").trace({}, work)).toBe("span");
    expect(spans.getStore()).toBe(undefined);
    start.unbindStore(spans);
  });
});
