import { eventChannel } from "@sluice/core";

import { attributesOf } from "./attributes.ts";
import type { CounterMetric, EventMetric } from "./package-telemetry.ts";
import type { Source } from "./source.ts";

const genericMetric: CounterMetric = {
  instrument: "counter",
  name: "sluice.events",
  unit: "{event}",
  description: "Events that have no metric of their own.",
  attributes: { "sluice.event": "type" },
};

/** Turns the events of a package into metrics. Returns the function that ends it. */
export function listenToEvents(source: Source): () => void {
  const { telemetry, drops } = source;
  const metrics = new Map(Object.entries(telemetry.events ?? {}));
  const generic = [{ ...genericMetric, constants: { "sluice.package": telemetry.name } }];
  return eventChannel<unknown>(`sluice:${telemetry.name}`).subscribe((event) => {
    let complete = typeof event === "object" && event !== null;
    if (complete) complete = recordAll(source, event as object, () => metrics.get(typeOf(event as object)) ?? generic);
    if (!complete) drops.add();
  });
}

function typeOf(event: object): string {
  return "type" in event && typeof event.type === "string" ? event.type : "";
}

// One metric that fails does not keep the others from the event, and the event counts as dropped once.
function recordAll(source: Source, event: object, metricsOf: () => readonly EventMetric[]): boolean {
  let complete = true;
  try {
    for (const metric of metricsOf()) complete = recorded(source, event, metric) && complete;
  } catch {
    return false;
  }
  return complete;
}

function recorded({ instruments, values, constants }: Source, event: object, metric: EventMetric): boolean {
  try {
    const value = valueOf(event, metric);
    if (!Number.isFinite(value)) return false;
    const labels = { values, constants: { ...constants, ...metric.constants } };
    instruments.record(metric, { value, attributes: attributesOf(event, metric.attributes, labels) });
    return true;
  } catch {
    return false;
  }
}

function valueOf(event: object, metric: EventMetric): number {
  const value = metric.instrument === "counter" ? (metric.amount ?? 1) : metric.value;
  if (typeof value === "number") return value;
  const read: unknown = Reflect.get(event, value);
  if (typeof read !== "number") return Number.NaN;
  return metric.instrument === "histogram" ? read * (metric.scale ?? 1) : read;
}
