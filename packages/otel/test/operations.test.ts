import { setImmediate } from "node:timers/promises";

import { context, SpanStatusCode, trace, type ContextManager } from "@opentelemetry/api";
import { traceChannel } from "@sluice/core";
import { createFakeClock } from "@sluice/testing";
import { afterEach, describe, expect, it } from "vitest";

import { instrument, type Instrumentation, type InstrumentOptions, type PackageTelemetry } from "../src/index.ts";
import { mostOpenOperations } from "../src/operation-listener.ts";
import { AttachingContextManager, StorageContextManager, WrappingContextManager } from "./support/context-managers.ts";
import { createTestTelemetry } from "./support/test-telemetry.ts";

interface Job {
  readonly queue: string;
  readonly userId?: string;
  attempt?: number;
  result?: unknown;
  error?: unknown;
}
const jobs = traceChannel<Job>("sluice:test-jobs:run");
const testJobs: PackageTelemetry = {
  name: "test-jobs",
  operations: {
    run: { attributes: { "test.queue": "queue" }, spanAttributes: { "test.attempts": "attempt" } },
  },
};
const durations = "sluice.test_jobs.run.duration";

const running: Instrumentation[] = [];
function start(
  options: InstrumentOptions = {},
): { instrumentation: Instrumentation } & ReturnType<typeof createTestTelemetry> {
  const telemetry = createTestTelemetry();
  const { meterProvider, tracerProvider } = telemetry;
  const instrumentation = instrument({ packages: [testJobs], meterProvider, tracerProvider, ...options });
  running.push(instrumentation);
  return { instrumentation, ...telemetry };
}
function manage(manager: ContextManager): void {
  context.setGlobalContextManager(manager);
}
function throwing(): Promise<never> {
  throw new TypeError("no");
}
afterEach(() => {
  for (const instrumentation of running.splice(0)) instrumentation.stop();
  context.disable();
});

describe("a traced operation", () => {
  it("becomes a span and a duration in seconds", async () => {
    const clock = createFakeClock();
    const { spans, metric, points } = start({ clock });
    await jobs.trace({ queue: "mail" }, () => clock.advance(250));
    expect(spans()).toMatchObject([
      { name: "sluice.test_jobs.run", attributes: { "test.queue": "mail", "sluice.outcome": "ok" }, ended: true },
    ]);
    expect(spans()[0]?.instrumentationScope.name).toBe("@sluice/otel");
    expect(await metric(durations)).toMatchObject({
      descriptor: { unit: "s" },
      dataPoints: [
        { value: { count: 1, sum: 0.25, buckets: { boundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] } } },
      ],
    });
    expect(await points(durations)).toEqual([[{ "test.queue": "mail", "sluice.outcome": "ok" }, 1]]);
  });

  it("passes its result through unchanged", async () => {
    start();
    const result = { rows: 3 };
    expect(await jobs.trace({ queue: "mail" }, async () => result)).toBe(result);
  });

  it("shows the facts that were set while it ran", async () => {
    const { spans, points } = start();
    const job: Job = { queue: "mail", attempt: 1 };
    await jobs.trace(job, async () => {
      job.attempt = 3;
    });
    expect(spans()[0]?.attributes).toEqual({ "test.queue": "mail", "test.attempts": 3, "sluice.outcome": "ok" });
    expect(await points(durations)).toEqual([[{ "test.queue": "mail", "sluice.outcome": "ok" }, 1]]);
  });

  it("ends its span once when the promise rejects", async () => {
    const { spans, points, instrumentation } = start();
    const failure = Object.assign(new Error("no"), { code: "ERR_SLUICE_TIMEOUT" });
    await expect(jobs.trace({ queue: "mail" }, () => Promise.reject(failure))).rejects.toBe(failure);
    const attributes = { "test.queue": "mail", "sluice.outcome": "error", "error.type": "ERR_SLUICE_TIMEOUT" };
    expect(spans()).toMatchObject([{ ended: true, status: { code: SpanStatusCode.ERROR }, attributes }]);
    expect(await points(durations)).toEqual([[attributes, 1]]);
    expect(instrumentation.dropped).toBe(0);
  });

  it("ends its span when the work throws before its promise", async () => {
    const { spans, points } = start();
    expect(() => jobs.trace({ queue: "mail" }, throwing)).toThrow(TypeError);
    expect(spans()).toMatchObject([{ attributes: { "error.type": "TypeError", "sluice.outcome": "error" } }]);
    expect(await points(durations)).toHaveLength(1);
  });

  it("tells only a kind when an error carries values in its message", async () => {
    const { spans, metrics } = start();
    const failure = new Error("duplicate key (email)=(ada@example.com)", { cause: new Error("token tok_123") });
    failure.name = "tok_123 of ada@example.com";
    await jobs.trace({ queue: "mail" }, () => Promise.reject(failure)).catch(() => {});
    const [span] = spans();
    const told = JSON.stringify([span?.name, span?.status, span?.attributes, span?.events, await metrics()]);
    expect(told).not.toMatch(/ada|tok_123|duplicate/);
    expect(span?.attributes["error.type"]).toBe("_OTHER");
    for (const error of [Object.assign(new Error("tok_123"), { code: "23505" }), new TypeError("tok_123")]) {
      await jobs.trace({ queue: "mail" }, () => Promise.reject(error)).catch(() => {});
    }
    expect(spans().map(({ attributes }) => attributes["error.type"])).toEqual(["_OTHER", "23505", "TypeError"]);
    expect(JSON.stringify(spans().map((each) => [each.status, each.attributes, each.events]))).not.toContain("tok_123");
  });

  it("tells only the fields that its package lists", async () => {
    const { spans, metrics } = start();
    await jobs.trace({ queue: "mail", userId: "user-4711" }, async () => "secret-result");
    expect(JSON.stringify([spans()[0]?.attributes, await metrics()])).not.toMatch(/4711|secret-result/);
  });

  it("is measured although its context is frozen", async () => {
    const { spans } = start();
    await jobs.trace(Object.freeze({ queue: "mail" }), () => Promise.reject(new Error("no"))).catch(() => {});
    expect(spans()).toMatchObject([{ attributes: { "sluice.outcome": "error", "error.type": "_OTHER" } }]);
  });

  it("is let go when ten thousand others are open", async () => {
    const { spans, metric } = start();
    const { promise: gate, resolve: settle } = Promise.withResolvers<void>();
    const first = jobs.trace({ queue: "first" }, () => gate);
    const others = Array.from({ length: mostOpenOperations }, () => jobs.trace({ queue: "later" }, () => gate));
    expect(spans()).toMatchObject([{ attributes: { "test.queue": "first", "sluice.outcome": "unobserved" } }]);
    settle();
    await Promise.all([first, ...others]);
    expect(spans()).toHaveLength(mostOpenOperations + 1);
    expect(await metric(durations)).toMatchObject({ dataPoints: [{ value: { count: mostOpenOperations } }] });
  });
});

const managers = {
  "that wraps contexts": WrappingContextManager,
  "that can attach": AttachingContextManager,
  "of an older SDK": StorageContextManager,
};

describe.each(Object.entries(managers))("with a context manager %s, a span", (_title, Manager) => {
  it("is the parent of what starts inside the work", async () => {
    manage(new Manager());
    const { spans, tracerProvider } = start();
    const tracer = tracerProvider.getTracer("app");
    await jobs.trace({ queue: "outer" }, async () => {
      tracer.startSpan("before the first await").end();
      await setImmediate();
      tracer.startSpan("after an await").end();
      await jobs.trace({ queue: "inner" }, () => setImmediate());
    });
    const outer = spans().find(({ attributes }) => attributes["test.queue"] === "outer");
    const inside = spans().filter((span) => span !== outer);
    expect(inside.map(({ name }) => name)).toEqual([
      "before the first await",
      "after an await",
      "sluice.test_jobs.run",
    ]);
    for (const span of inside) expect(span.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it("has the active span as its parent, and leaves it active", async () => {
    manage(new Manager());
    const { spans, tracerProvider } = start();
    const request = tracerProvider.getTracer("app").startSpan("request");
    const within = trace.setSpan(context.active(), request);
    await context.with(within, async () => {
      const job = jobs.trace({ queue: "mail" }, () => setImmediate());
      expect(context.active()).toBe(within);
      await job;
      expect(context.active()).toBe(within);
    });
    expect(spans()[0]?.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  });

  it("does not mix with that of another operation", async () => {
    manage(new Manager());
    const { tracerProvider, spans } = start();
    const names = Array.from({ length: 50 }, (_, index) => `job-${index}`);
    const run = (queue: string): Promise<void> =>
      jobs.trace({ queue }, async () => {
        await setImmediate();
        tracerProvider.getTracer("app").startSpan(queue).end();
      });
    await Promise.all(names.map(run));
    const ids = new Map(spans().map((span) => [span.spanContext().spanId, span.attributes["test.queue"]]));
    const children = spans().filter(({ name }) => names.includes(name));
    expect(children.map((child) => ids.get(child.parentSpanContext?.spanId ?? ""))).toEqual(
      children.map(({ name }) => name),
    );
  });
});

describe("a span without a context manager", () => {
  it("is recorded without parents when no context manager is registered", async () => {
    const { spans } = start();
    await jobs.trace({ queue: "outer" }, () => jobs.trace({ queue: "inner" }, () => setImmediate()));
    expect(spans()).toHaveLength(2);
    expect(spans().every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true);
  });
});
