import type { Attributes, Tracer } from "@opentelemetry/api";
import type { Clock } from "@sluice/core";

import type { AttributeValues } from "./attribute-values.ts";
import type { Drops } from "./drops.ts";
import type { Instruments } from "./instruments.ts";
import type { PackageTelemetry } from "./package-telemetry.ts";

/** A package, and where its messages go. */
export interface Source {
  readonly telemetry: PackageTelemetry;
  readonly clock: Clock;
  readonly instruments: Instruments;
  readonly values: AttributeValues;
  readonly drops: Drops;
  /** On everything that comes from the package. */
  readonly constants: Attributes;
  /** The tracer in use now. May throw. */
  readonly tracer: () => Tracer;
}

/** The name of a package or an operation as part of the name of a metric or a span. */
export function inName(name: string): string {
  return name.replaceAll("-", "_");
}
