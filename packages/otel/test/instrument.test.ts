import { channel, tracingChannel } from "node:diagnostics_channel";
import { setImmediate } from "node:timers/promises";

import { metrics, trace, type Meter, type MeterProvider, type Tracer, type TracerProvider } from "@opentelemetry/api";
import { eventChannel, traceChannel } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";

import { instrument, type Instrumentation, type InstrumentOptions, type PackageTelemetry } from "../src/index.ts";
import { knownPackages } from "../src/known-packages.ts";
import { createTestTelemetry } from "./support/test-telemetry.ts";

const testWork: PackageTelemetry = { name: "test-work", operations: { run: {} } };
const events = eventChannel<object>("sluice:test-work");
const runs = traceChannel<object>("sluice:test-work:run");
const run = (): Promise<number> => runs.trace({}, async () => 7);
const packages = [testWork];

const running: Instrumentation[] = [];
function started(options: InstrumentOptions): void {
  running.push(instrument(options));
}
afterEach(() => {
  for (const instrumentation of running.splice(0)) instrumentation.stop();
  metrics.disable();
  trace.disable();
});

describe("listening", () => {
  const names = knownPackages.map(({ name }) => name);
  const operations = knownPackages.flatMap(({ name, operations: ofPackage = {} }) =>
    Object.keys(ofPackage).map((operation) => `sluice:${name}:${operation}`),
  );
  const heard = (): boolean[] => [
    ...names.map((name) => channel(`sluice:${name}`).hasSubscribers),
    ...operations.map((name) => tracingChannel(name).hasSubscribers),
  ];

  it("begins on every package, and leaves no subscriber behind", () => {
    expect(new Set(heard())).toEqual(new Set([false]));
    const instrumentation = instrument();
    expect(new Set(heard())).toEqual(new Set([true]));
    instrumentation.stop();
    expect(new Set(heard())).toEqual(new Set([false]));
  });

  it("ends when it is disposed of", () => {
    {
      using instrumentation = instrument({ packages });
      expect([events.hasSubscribers, runs.hasSubscribers, instrumentation.dropped]).toEqual([true, true, 0]);
    }
    expect([events.hasSubscribers, runs.hasSubscribers]).toEqual([false, false]);
  });

  it("is limited to the chosen packages", () => {
    started({ packages: ["redis"] });
    expect(channel("sluice:redis").hasSubscribers).toBe(true);
    expect(channel("sluice:postgres").hasSubscribers).toBe(false);
  });
});

describe("two listeners", () => {
  it("count once when it is started twice for the same providers", async () => {
    const { meterProvider, tracerProvider, spans, points } = createTestTelemetry();
    const first = instrument({ packages, meterProvider, tracerProvider });
    const second = instrument({ packages, meterProvider, tracerProvider });
    await run();
    first.stop();
    // Stopping twice does not take the second one's place.
    first.stop();
    await run();
    second.stop();
    await run();
    expect(spans()).toHaveLength(2);
    expect((await points("sluice.test_work.run.duration"))[0]?.[1]).toBe(2);
    expect(runs.hasSubscribers).toBe(false);
  });

  it("each count when their providers differ", async () => {
    const [one, other] = [createTestTelemetry(), createTestTelemetry()];
    started({ packages, meterProvider: one.meterProvider });
    started({ packages, meterProvider: other.meterProvider });
    await run();
    expect(await one.points("sluice.test_work.run.duration")).toHaveLength(1);
    expect(await other.points("sluice.test_work.run.duration")).toHaveLength(1);
  });
});

describe("a global provider", () => {
  it("is used although instrument runs before the SDK is registered", async () => {
    started({ packages });
    await run();
    const { meterProvider, tracerProvider, spans, points } = createTestTelemetry();
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(tracerProvider);
    await run();
    expect(spans()).toHaveLength(1);
    expect((await points("sluice.test_work.run.duration"))[0]?.[1]).toBe(1);
  });
});

describe("stopping", () => {
  it("ends the open spans when it stops while operations run", async () => {
    const { meterProvider, tracerProvider, spans, points } = createTestTelemetry();
    const instrumentation = instrument({ packages, meterProvider, tracerProvider });
    const { promise, resolve } = Promise.withResolvers<number>();
    const job = runs.trace({}, () => promise);
    instrumentation.stop();
    instrumentation.stop();
    expect(spans()).toMatchObject([
      { ended: true, status: { code: 0 }, attributes: { "sluice.outcome": "unobserved" } },
    ]);
    resolve(7);
    expect(await job).toBe(7);
    expect(spans()).toHaveLength(1);
    // Nobody saw how long it took.
    expect(await points("sluice.test_work.run.duration")).toEqual([]);
    expect(instrumentation.dropped).toBe(0);
  });

  it("forgets what came before when it starts again", async () => {
    const { meterProvider, spans, tracerProvider } = createTestTelemetry();
    instrument({ packages, meterProvider, tracerProvider }).stop();
    started({ packages, meterProvider, tracerProvider });
    await run();
    expect(spans()).toHaveLength(1);
  });
});

// What a listener of a channel throws is reported by Node as an uncaught exception, after the message.
async function uncaughtDuring(work: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => uncaught.push(error));
  try {
    await work();
    await setImmediate();
    return uncaught;
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of others) process.on("uncaughtException", listener);
  }
}

const fail = (): never => {
  throw new Error("broken");
};
const brokenSpan = { setAttributes: fail, setStatus: fail, end: fail, spanContext: fail };
const brokenInstrument = { add: fail, record: fail };
const broken: Readonly<Record<string, InstrumentOptions>> = {
  "a meter provider": { meterProvider: { getMeter: fail } },
  "a meter": { meterProvider: metersThat({ createCounter: fail, createHistogram: fail, createGauge: fail }) },
  "an instrument": {
    meterProvider: metersThat({ createCounter: () => brokenInstrument, createHistogram: () => brokenInstrument }),
  },
  "a tracer provider": { tracerProvider: { getTracer: fail } },
  "a tracer": { tracerProvider: tracersThat({ startSpan: fail }) },
  "a span": { tracerProvider: tracersThat({ startSpan: () => brokenSpan }) },
};
function metersThat(meter: object): MeterProvider {
  return { getMeter: () => meter as Meter };
}
function tracersThat(tracer: object): TracerProvider {
  return { getTracer: () => tracer as Tracer };
}

describe("the application, when a provider throws,", () => {
  it.each(Object.entries(broken))("goes on, and each loss counts once: %s", async (_part, options) => {
    const { meterProvider, tracerProvider } = createTestTelemetry();
    using instrumentation = instrument({ packages, meterProvider, tracerProvider, ...options });
    const failure = new Error("mine");
    const uncaught = await uncaughtDuring(async () => {
      expect(await run()).toBe(7);
      expect(instrumentation.dropped).toBe(1);
      await expect(runs.trace({}, () => Promise.reject(failure))).rejects.toBe(failure);
      expect(instrumentation.dropped).toBe(2);
      events.publish({ type: "seen" });
      expect(instrumentation.dropped).toBe("meterProvider" in options ? 3 : 2);
    });
    expect(uncaught).toEqual([]);
  });

  it("still measures durations when a provider throws for spans alone", async () => {
    const { meterProvider, points } = createTestTelemetry();
    started({ packages, meterProvider, tracerProvider: { getTracer: fail } });
    await run();
    expect(await points("sluice.test_work.run.duration")).toHaveLength(1);
  });

  it("still ends spans when a provider throws for metrics alone", async () => {
    const { tracerProvider, spans } = createTestTelemetry();
    started({ packages, tracerProvider, meterProvider: { getMeter: fail } });
    await run();
    expect(spans()).toHaveLength(1);
  });
});

describe("telemetry, when another listener throws,", () => {
  it("is complete although another listener throws on the same channels", async () => {
    const listeners = { start: fail, end: fail, error: fail, asyncStart: fail, asyncEnd: fail };
    const stops = [events.subscribe(fail), runs.subscribe(listeners)];
    const { meterProvider, tracerProvider, spans, points } = createTestTelemetry();
    const instrumentation = instrument({ packages, meterProvider, tracerProvider });
    const uncaught = await uncaughtDuring(async () => {
      events.publish({ type: "seen" });
      await run();
      await runs.trace({}, () => Promise.reject(new Error("mine"))).catch(() => {});
    });
    instrumentation.stop();
    for (const stop of stops) stop();
    expect(uncaught.length).toBeGreaterThan(0);
    expect(spans().map(({ attributes }) => attributes["sluice.outcome"])).toEqual(["ok", "error"]);
    expect(await points("sluice.events")).toHaveLength(1);
    expect(instrumentation.dropped).toBe(0);
  });
});

describe("options", () => {
  it.each<[string, InstrumentOptions]>([
    ["packages[0]", { packages: ["reddis" as "redis"] }],
    ["packages[1].name", { packages: ["redis", { name: "My Package" }] }],
    ["maxAttributeValues", { maxAttributeValues: 0 }],
    ["maxAttributeValues", { maxAttributeValues: 10_001 }],
    ["maxAttributeValues", { maxAttributeValues: 1.5 }],
    ['attributes["app.tags"]', { attributes: { "app.tags": ["a"] } }],
  ])("are refused by name: %s", (argument, options) => {
    expect(() => instrument(options)).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
    expect(channel("sluice:redis").hasSubscribers).toBe(false);
  });
});
