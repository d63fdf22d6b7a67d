import { setImmediate } from "node:timers/promises";

import { context } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { eventChannel, traceChannel } from "@sluice/core";
import { afterEach, describe, expect, it, vi } from "vitest";

import { instrument } from "../src/index.ts";
import { AttachingContextManager } from "./support/context-managers.ts";
import { attributesOf, pointsOf, startOtlpReceiver } from "./support/otlp-receiver.ts";

// What the packages publish, by the names of their channels.
const postgres = eventChannel<object>("sluice:postgres");
const redis = eventChannel<object>("sluice:redis");
const cache = eventChannel<object>("sluice:cache");
const transactions = traceChannel<{ isolation: string; attempt: number }>("sluice:postgres:transaction");

function startExporting(url: string) {
  const metricExporter = new OTLPMetricExporter({ url: `${url}/v1/metrics`, timeoutMillis: 500 });
  const traceExporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: 500 });
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: metricExporter,
        exportIntervalMillis: 20,
        exportTimeoutMillis: 10,
      }),
    ],
  });
  const tracerProvider = new TracerProvider({
    spanProcessors: [new BatchSpanProcessor({ exporter: traceExporter, scheduledDelayMillis: 5 })],
  });
  const instrumentation = instrument({ meterProvider, tracerProvider });
  return {
    meterProvider,
    tracerProvider,
    instrumentation,
    async [Symbol.asyncDispose]() {
      instrumentation.stop();
      await Promise.allSettled([meterProvider.shutdown(), tracerProvider.shutdown()]);
    },
  };
}

afterEach(() => context.disable());

async function runOperations(): Promise<number[]> {
  const numbers = Array.from({ length: 5000 }, (_, index) => index);
  return Promise.all(
    numbers.map((number) => {
      postgres.publish({ type: "commit-unknown" });
      return transactions.trace({ isolation: "serializable", attempt: 1 }, async () => number);
    }),
  );
}

describe("through the OTLP exporters", () => {
  it("an operation arrives between its parent and its children", async () => {
    context.setGlobalContextManager(new AttachingContextManager());
    await using receiver = await startOtlpReceiver();
    await using sdk = startExporting(receiver.url);
    const app = sdk.tracerProvider.getTracer("app");
    await app.startActiveSpan("request", async (request) => {
      const facts = { isolation: "serializable", attempt: 1 };
      await transactions.trace(facts, async () => {
        facts.attempt = 2;
        await setImmediate();
        app.startSpan("query").end();
      });
      request.end();
    });
    await sdk.tracerProvider.forceFlush();

    expect(receiver.scopes().toSorted()).toEqual(["@sluice/otel", "app"]);
    const transaction = receiver.span("sluice.postgres.transaction");
    expect(transaction.parentSpanId).toBe(receiver.span("request").spanId);
    expect(receiver.span("query").parentSpanId).toBe(transaction.spanId);
    expect(new Set(receiver.spans().map(({ traceId }) => traceId)).size).toBe(1);
    expect(attributesOf(transaction)).toEqual({
      "db.system.name": "postgresql",
      "sluice.postgres.isolation": "serializable",
      "sluice.postgres.attempts": 2,
      "sluice.outcome": "ok",
    });
    expect(transaction.status.code).toBe(0);
    expect(BigInt(transaction.endTimeUnixNano)).toBeGreaterThan(BigInt(transaction.startTimeUnixNano));
  });

  it("metrics arrive with their names, units and attributes", async () => {
    await using receiver = await startOtlpReceiver();
    await using sdk = startExporting(receiver.url);
    await transactions.trace({ isolation: "serializable", attempt: 1 }, () => setImmediate());
    postgres.publish({ type: "transaction-retried", attempt: 1, sqlState: "40001", delayMs: 30 });
    redis.publish({ type: "breaker-opened", role: "cache", shard: "" });
    cache.publish({ type: "brand-new", key: "user:4711" });
    await sdk.meterProvider.forceFlush();

    const duration = receiver.metric("sluice.postgres.transaction.duration");
    expect(duration?.unit).toBe("s");
    expect(pointsOf(duration)).toMatchObject([
      {
        value: 1,
        attributes: {
          "db.system.name": "postgresql",
          "sluice.postgres.isolation": "serializable",
          "sluice.outcome": "ok",
        },
        explicitBounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      },
    ]);
    const retries = receiver.metric("sluice.postgres.transaction.retries");
    expect(retries).toMatchObject({ unit: "{retry}", sum: { isMonotonic: true } });
    expect(pointsOf(retries)).toMatchObject([
      { value: 1, attributes: { "db.system.name": "postgresql", "db.response.status_code": "40001" } },
    ]);
    expect(pointsOf(receiver.metric("sluice.postgres.transaction.retry.delay"))).toMatchObject([{ sum: 0.03 }]);
    expect(pointsOf(receiver.metric("sluice.redis.breaker.state"))).toMatchObject([{ value: 1 }]);
    expect(pointsOf(receiver.metric("sluice.events")).map(({ attributes }) => attributes)).toEqual([
      { "sluice.package": "cache", "sluice.event": "brand-new" },
    ]);
  });

  it("a failure arrives by its code alone", async () => {
    await using receiver = await startOtlpReceiver();
    await using sdk = startExporting(receiver.url);
    const failure = Object.assign(new Error("card 4242 was refused"), { code: "23505" });
    const work = transactions.trace({ isolation: "serializable", attempt: 1 }, () => Promise.reject(failure));
    await expect(work).rejects.toBe(failure);
    await sdk.tracerProvider.forceFlush();
    const span = receiver.span("sluice.postgres.transaction");
    expect(span.status.code).toBe(2);
    expect(attributesOf(span)).toMatchObject({ "error.type": "23505", "sluice.outcome": "error" });
    expect(JSON.stringify(span)).not.toContain("4242");
  });
});

describe("an application whose telemetry cannot be delivered", () => {
  it("goes on while the receiver is slow", async () => {
    await using receiver = await startOtlpReceiver();
    receiver.hold();
    await using sdk = startExporting(receiver.url);
    await runOperations();
    await vi.waitUntil(() => receiver.requests > 0);
    expect((await runOperations()).length).toBe(5000);
    // Not one export had been answered when all operations were done.
    expect(receiver.answers).toBe(0);
    expect(sdk.instrumentation.dropped).toBe(0);
    receiver.release();
  });

  it("goes on while the receiver is down", async () => {
    const receiver = await startOtlpReceiver();
    await receiver[Symbol.asyncDispose]();
    await using sdk = startExporting(receiver.url);
    expect((await runOperations()).length).toBe(5000);
    await sdk.tracerProvider.forceFlush().catch(() => {});
    expect((await runOperations()).at(-1)).toBe(4999);
    expect(sdk.instrumentation.dropped).toBe(0);
  });
});
