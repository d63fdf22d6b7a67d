import type { Attributes, MeterProvider, TracerProvider } from "@opentelemetry/api";
import { InvalidArgumentError, systemClock, type Clock } from "@sluice/core";

import { knownPackages, type PackageName } from "./known-packages.ts";
import { listen } from "./listening.ts";
import type { PackageTelemetry } from "./package-telemetry.ts";

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** What to listen to: packages of Sluice by name, others by their description. Default: every package of Sluice. */
  readonly packages?: readonly (PackageName | PackageTelemetry)[];
  /** Where metrics go. Default: the globally registered one, also when it is registered later. */
  readonly meterProvider?: MeterProvider;
  /** Where spans go. Default: the globally registered one, also when it is registered later. */
  readonly tracerProvider?: TracerProvider;
  /**
   * Distinct values that each attribute of a package may take; every later value is reported as `other`. A value is cut
   * to 64 characters. From 1 to 10,000, default 100.
   */
  readonly maxAttributeValues?: number;
  /** Attributes of every metric and every span: text, numbers or booleans. Default none. */
  readonly attributes?: Attributes;
  /** Measures durations. Default {@link systemClock}. */
  readonly clock?: Clock;
}

/** Turns messages into telemetry until it is stopped. */
export interface Instrumentation extends Disposable {
  /**
   * Messages that were lost, wholly or in part, because a provider failed or a message was not what its package
   * promises. Also the metric `sluice.telemetry.dropped`.
   */
  readonly dropped: number;
  /**
   * Stops listening at once; publishing is free again. Spans that are open end with the outcome `unobserved`. What the
   * providers still hold is theirs to export: shut them down afterwards. Harmless when called again.
   */
  stop(): void;
}

/**
 * Turns the telemetry of Sluice's packages into metrics and spans of OpenTelemetry, until stopped. Whatever a provider
 * throws is dropped and counted: it never reaches the packages.
 *
 * Instrumenting the same packages for the same providers again shares the first listener, so that nothing counts twice.
 * The first one's settings stay, and listening ends when the last one stops.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an unknown package, a limit out of range or an attribute that is not text,
 *   a number or a boolean.
 * @example
 * ```ts
 * import { instrument } from "@sluice/otel";
 *
 * const instrumentation = instrument({ attributes: { "app.region": "eu" } });
 * instrumentation.dropped; // => 0
 * instrumentation.stop();
 * ```
 */
export function instrument({
  packages,
  meterProvider,
  tracerProvider,
  maxAttributeValues = 100,
  attributes = {},
  clock = systemClock,
}: InstrumentOptions = {}): Instrumentation {
  if (!Number.isInteger(maxAttributeValues) || maxAttributeValues < 1 || maxAttributeValues > 10_000) {
    throw new InvalidArgumentError("maxAttributeValues", "a whole number from 1 to 10,000", maxAttributeValues);
  }
  const destination = { meterProvider, tracerProvider, maxAttributeValues, attributes: primitive(attributes), clock };
  const chosen = packages?.map((entry, index) => resolve(entry, `packages[${index}]`)) ?? knownPackages;
  const listenings = chosen.map((telemetry) => listen(telemetry, destination));
  const stop = (): void => {
    for (const listening of listenings) listening.release();
  };
  return {
    get dropped() {
      return listenings.reduce((sum, { drops }) => sum + drops.count, 0);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

// The shape of the names of npm packages, and of channels that come from code.
const packageName = /^[a-z][a-z0-9-]*$/;

function resolve(entry: PackageName | PackageTelemetry, argument: string): PackageTelemetry {
  if (typeof entry === "string") {
    const known = knownPackages.find(({ name }) => name === entry);
    if (known) return known;
    throw new InvalidArgumentError(argument, `one of ${knownPackages.map(({ name }) => name).join(", ")}`, entry);
  }
  if (packageName.test(entry.name)) return entry;
  throw new InvalidArgumentError(`${argument}.name`, "lower-case letters, digits and hyphens", entry.name);
}

function primitive(attributes: Attributes): Attributes {
  for (const [name, value] of Object.entries(attributes)) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new InvalidArgumentError(`attributes["${name}"]`, "text, a number or a boolean", value);
    }
  }
  return { ...attributes };
}
