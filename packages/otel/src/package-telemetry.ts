import type { Attributes } from "@opentelemetry/api";

/**
 * The attributes that may leave the process: each name with the field of the message that fills it. Fields that are not
 * listed are never read. A field that holds text, a number or a boolean is taken as it is, within the bounds of
 * {@link InstrumentOptions}; one that holds an error gives the error's code; anything else gives no attribute.
 */
export type AttributeFields = Readonly<Record<string, string>>;

/** What every metric of an event states. */
export interface MetricDescription {
  /** Such as `"sluice.redis.subscription.doubts"`. Dots between words, underscores within them. */
  readonly name: string;
  /** In the notation of UCUM: `"s"`, `"By"`, or a noun in braces such as `"{retry}"`. */
  readonly unit: string;
  /** One sentence for whoever reads the dashboard. */
  readonly description: string;
  /** Default none. */
  readonly attributes?: AttributeFields;
  /** Attributes that are the same every time. Default none. */
  readonly constants?: Attributes;
}

/** Adds up. */
export interface CounterMetric extends MetricDescription {
  /** A counter: it only rises. */
  readonly instrument: "counter";
  /** The field that holds what to add. Default: each event adds 1. */
  readonly amount?: string;
}

/** Holds the latest value. */
export interface GaugeMetric extends MetricDescription {
  /** A gauge: it rises and falls. */
  readonly instrument: "gauge";
  /** The value that the event stands for, or the field that holds it. */
  readonly value: number | string;
}

/** Counts values by size. */
export interface HistogramMetric extends MetricDescription {
  /** A histogram: it has a count, a sum and buckets. */
  readonly instrument: "histogram";
  /** The field that holds the value. */
  readonly value: string;
  /** Multiplies the field, as 0.001 makes seconds of milliseconds. Default 1. */
  readonly scale?: number;
  /** Upper bounds of the buckets, ascending. Default: those that OpenTelemetry recommends for durations in seconds. */
  readonly buckets?: readonly number[];
}

/** A metric that an event feeds. */
export type EventMetric = CounterMetric | GaugeMetric | HistogramMetric;

/** What a traced operation shows, besides its duration, its outcome and the code of its error. */
export interface OperationTelemetry {
  /** On the span and on the histogram of durations. Default none. */
  readonly attributes?: AttributeFields;
  /** On the span alone, for facts that are too many to count by. Default none. */
  readonly spanAttributes?: AttributeFields;
}

/**
 * What to make of the messages of one package.
 *
 * @example
 * ```ts
 * import { instrument, type PackageTelemetry } from "@sluice/otel";
 *
 * const mail: PackageTelemetry = {
 *   name: "mail",
 *   events: {
 *     bounced: [
 *       {
 *         instrument: "counter",
 *         name: "sluice.mail.bounces",
 *         unit: "{message}",
 *         description: "Messages that came back.",
 *         attributes: { "sluice.mail.reason": "reason" },
 *       },
 *     ],
 *   },
 *   operations: { send: { attributes: { "sluice.mail.provider": "provider" } } },
 * };
 * const instrumentation = instrument({ packages: [mail, "postgres"] });
 * instrumentation.stop();
 * ```
 */
export interface PackageTelemetry {
  /** Its events come on the channel `sluice:<name>`, its operations on `sluice:<name>:<operation>`. */
  readonly name: string;
  /** Attributes of everything that comes from the package. Default none. */
  readonly constants?: Attributes;
  /** Metrics by event type. A type that is not listed is counted in `sluice.events`. Default none. */
  readonly events?: Readonly<Record<string, readonly EventMetric[]>>;
  /** The operations to trace, by name. Operations that are not listed are not traced. Default none. */
  readonly operations?: Readonly<Record<string, OperationTelemetry>>;
}
