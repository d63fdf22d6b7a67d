import type { Attributes, Context, Counter, Gauge, Histogram, Meter, MeterProvider } from "@opentelemetry/api";

import type { EventMetric } from "./package-telemetry.ts";

/** Names this package to OpenTelemetry. */
export const scopeName = "@sluice/otel";

// Recommended for db.client.operation.duration by the semantic conventions. Unit: s.
const durationBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** One measured value. */
export interface Measurement {
  readonly value: number;
  readonly attributes: Attributes;
  /** The context that the measurement belongs to, for exemplars. */
  readonly within?: Context;
}

/** The instruments of a meter, created when they are first used. */
export interface Instruments {
  /** Records one value. Throws whatever the provider throws. */
  record(metric: EventMetric, measurement: Measurement): void;
}

type Instrument =
  | { readonly kind: "counter"; readonly of: Counter }
  | { readonly kind: "gauge"; readonly of: Gauge }
  | { readonly kind: "histogram"; readonly of: Histogram };

/**
 * @param currentProvider - Asked at every record: the application may register its provider after this package has
 *   started, and the API hands out meters that do nothing until then.
 */
export function createInstruments(currentProvider: () => MeterProvider): Instruments {
  let provider: MeterProvider | undefined;
  let instruments = new Map<string, Instrument>();
  function instrumentOf(metric: EventMetric): Instrument {
    const current = currentProvider();
    if (current !== provider) {
      provider = current;
      instruments = new Map();
    }
    const known = instruments.get(metric.name);
    if (known) return known;
    const created = createInstrument(current.getMeter(scopeName), metric);
    instruments.set(metric.name, created);
    return created;
  }
  return {
    record(metric, { value, attributes, within }) {
      const { kind, of } = instrumentOf(metric);
      if (kind === "counter") of.add(value, attributes, within);
      else of.record(value, attributes, within);
    },
  };
}

function createInstrument(meter: Meter, metric: EventMetric): Instrument {
  const { name, unit, description } = metric;
  if (metric.instrument === "counter") return { kind: "counter", of: meter.createCounter(name, { unit, description }) };
  if (metric.instrument === "gauge") return { kind: "gauge", of: meter.createGauge(name, { unit, description }) };
  const advice = { explicitBucketBoundaries: [...(metric.buckets ?? durationBuckets)] };
  return { kind: "histogram", of: meter.createHistogram(name, { unit, description, advice }) };
}
