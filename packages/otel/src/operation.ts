import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Context, type Span } from "@opentelemetry/api";

import { attributesOf } from "./attributes.ts";
import type { AttributeFields, HistogramMetric, OperationTelemetry } from "./package-telemetry.ts";
import { inName, type Source } from "./source.ts";

/** An operation under way. */
export interface Operation {
  readonly startedMs: number;
  /** Absent when the tracer failed. */
  span?: Span;
  /** The context that the work runs in. Absent when the tracer failed. */
  within?: Context;
  /** The kind of its error, once it has failed. */
  errorType?: string;
  /** Whether a part of its telemetry was lost. */
  incomplete: boolean;
}

/** How an operation ended. `unobserved` is one that was still running when nobody listened any more. */
export type Outcome = "ok" | "error" | "unobserved";

/** Records operations of one kind. Never throws. */
export interface OperationRecorder {
  /** Opens the span. */
  begin(message: object): Operation;
  /** Ends the span and, unless the end was not seen, records the duration. */
  finish(operation: Operation, message: object, outcome: Outcome): void;
}

/** @param operationName - As in the name of its channel. */
export function createRecorder(source: Source, operationName: string, fields: OperationTelemetry): OperationRecorder {
  const { clock, instruments } = source;
  const name = `sluice.${inName(source.telemetry.name)}.${inName(operationName)}`;
  const duration = durationMetric(name, operationName);
  return {
    begin(message) {
      const operation: Operation = { startedMs: clock.monotonic(), incomplete: false };
      attempt(operation, () => {
        const active = context.active();
        const attributes = attributesOf(message, fields.attributes, source);
        operation.span = source.tracer().startSpan(name, { kind: SpanKind.INTERNAL, attributes }, active);
        operation.within = trace.setSpan(active, operation.span);
      });
      return operation;
    },
    finish(operation, message, outcome) {
      const value = (clock.monotonic() - operation.startedMs) / 1000;
      const { span, within } = operation;
      const attributes = outcomeAttributes(source, operation, outcome);
      attempt(operation, () => Object.assign(attributes, attributesOf(message, fields.attributes, source)));
      if (outcome !== "unobserved") {
        const measurement = { value, attributes: { ...attributes } };
        attempt(operation, () => instruments.record(duration, within ? { ...measurement, within } : measurement));
      }
      attempt(operation, () => Object.assign(attributes, spanFacts(source, message, fields.spanAttributes)));
      attempt(operation, () => span?.setAttributes(attributes));
      if (outcome === "error") attempt(operation, () => span?.setStatus({ code: SpanStatusCode.ERROR }));
      attempt(operation, () => span?.end());
    },
  };
}

function durationMetric(name: string, operationName: string): HistogramMetric {
  return {
    instrument: "histogram",
    name: `${name}.duration`,
    unit: "s",
    description: `How long "${operationName}" takes, with the application's code inside it.`,
    value: "",
  };
}

function outcomeAttributes({ values }: Source, operation: Operation, outcome: Outcome): Attributes {
  if (operation.errorType === undefined) return { "sluice.outcome": outcome };
  const label = values.label("error.type", operation.errorType);
  return label === undefined ? { "sluice.outcome": outcome } : { "sluice.outcome": outcome, "error.type": label };
}

// A span counts nothing by its attributes, so its numbers stay numbers.
function spanFacts({ values }: Source, message: object, fields: AttributeFields | undefined): Attributes {
  const facts: Attributes = {};
  for (const [attribute, field] of Object.entries(fields ?? {})) {
    const value: unknown = Reflect.get(message, field);
    const fact = typeof value === "number" ? value : values.label(attribute, value);
    if (fact !== undefined) facts[attribute] = fact;
  }
  return facts;
}

function attempt(operation: Operation, step: () => unknown): void {
  try {
    step();
  } catch {
    operation.incomplete = true;
  }
}
