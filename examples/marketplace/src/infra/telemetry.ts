import { randomUUID } from "node:crypto";

import { context, type Meter, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes, type Resource } from "@opentelemetry/resources";
import {
  type IMetricReader,
  MeterProvider,
  MetricReader,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { systemClock } from "@sluice/core";
import { instrument } from "@sluice/otel";

import type { Config } from "../config/config.ts";
import type { Log } from "../http/log.ts";
import { logTelemetryTrouble } from "./telemetry-trouble.ts";

type Otlp = NonNullable<Config["otlp"]>;

/** Where everything that is measured goes: to `/metrics`, and to an OTLP receiver where one is configured. */
export interface Telemetry {
  readonly meter: Meter;
  /** Undefined where no spans are sent. */
  readonly tracer: Tracer | undefined;
  /** The Prometheus text format, which `contentType` names. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Sends what is left. Gives up after `OTEL_EXPORTER_OTLP_TIMEOUT` or `timeoutMs`, whichever is shorter. */
  close(timeoutMs: number): Promise<void>;
}

const scope = "marketplace";

/** Collects the metrics and spans of this process and of every package of Sluice in it. */
export function createTelemetry(otlp: Config["otlp"], log: Log): Telemetry {
  if (otlp !== undefined) logTelemetryTrouble(log);
  const resource = resourceFromAttributes({ "service.name": "marketplace", "service.instance.id": randomUUID() });
  const pull = new PullReader();
  const readers: IMetricReader[] = [pull, ...(otlp === undefined ? [] : [pushReader(otlp)])];
  const meterProvider = new MeterProvider({ resource, readers });
  const tracerProvider = otlp === undefined ? undefined : sendingSpans(otlp, resource);
  const instrumentation = instrument({ meterProvider, ...(tracerProvider === undefined ? {} : { tracerProvider }) });
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  return {
    meter: meterProvider.getMeter(scope),
    tracer: tracerProvider?.getTracer(scope),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    async text() {
      const { resourceMetrics } = await pull.collect();
      return serializer.serialize(resourceMetrics);
    },
    async close(timeoutMs) {
      instrumentation.stop();
      const flushed = Promise.allSettled([meterProvider.shutdown(), tracerProvider?.shutdown()]);
      await within(flushed, Math.min(timeoutMs, otlp?.timeoutMs ?? 0));
    },
  };
}

/** Read when `/metrics` is asked for. */
class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function pushReader({ endpoint, headers, timeoutMs, metricsEveryMs }: Otlp): IMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, headers, timeoutMillis: timeoutMs }),
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: Math.min(timeoutMs, metricsEveryMs),
  });
}

function sendingSpans({ endpoint, headers, timeoutMs }: Otlp, resource: Resource): TracerProvider {
  // Without it spans have no parents. The first one of a process stays.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers, timeoutMillis: timeoutMs });
  const spanProcessors = [new BatchSpanProcessor({ exporter, exportTimeoutMillis: timeoutMs })];
  return new TracerProvider({ resource, spanProcessors });
}

async function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = systemClock.schedule(timeoutMs, resolve);
  await Promise.race([work, promise]);
  timer.cancel();
}
