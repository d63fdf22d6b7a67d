export { instrument, type InstrumentOptions, type Instrumentation } from "./instrument.ts";
export type { PackageName } from "./known-packages.ts";
export type {
  AttributeFields,
  CounterMetric,
  EventMetric,
  GaugeMetric,
  HistogramMetric,
  MetricDescription,
  OperationTelemetry,
  PackageTelemetry,
} from "./package-telemetry.ts";
