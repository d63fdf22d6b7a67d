import type { Attributes } from "@opentelemetry/api";
import { MeterProvider, MetricReader, type DataPoint, type MetricData } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace";

class ManualReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Real providers whose output stays in memory. */
export interface TestTelemetry {
  readonly meterProvider: MeterProvider;
  readonly tracerProvider: TracerProvider;
  readonly spans: () => ReadableSpan[];
  /** Every metric that has data. */
  readonly metrics: () => Promise<MetricData[]>;
  readonly metric: (name: string) => Promise<MetricData | undefined>;
  /** The data points of a metric as pairs of attributes and value: the sum, the last value or the count. */
  readonly points: (name: string) => Promise<[Attributes, unknown][]>;
}

export function createTestTelemetry(): TestTelemetry {
  const reader = new ManualReader();
  const exporter = new InMemorySpanExporter();
  const metrics = async (): Promise<MetricData[]> => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics: ofScope }) => ofScope);
  };
  const metric = async (name: string): Promise<MetricData | undefined> =>
    (await metrics()).find(({ descriptor }) => descriptor.name === name);
  return {
    meterProvider: new MeterProvider({ readers: [reader] }),
    tracerProvider: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    spans: () => exporter.getFinishedSpans(),
    metrics,
    metric,
    async points(name) {
      const points: readonly DataPoint<unknown>[] = (await metric(name))?.dataPoints ?? [];
      return points.map(({ attributes, value }) => [
        attributes,
        typeof value === "object" && value !== null && "count" in value ? value.count : value,
      ]);
    },
  };
}
