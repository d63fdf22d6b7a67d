import { metrics, trace, type Attributes, type MeterProvider, type TracerProvider } from "@opentelemetry/api";
import type { Clock } from "@sluice/core";

import { createAttributeValues } from "./attribute-values.ts";
import { createDrops, type Drops } from "./drops.ts";
import { listenToEvents } from "./event-listener.ts";
import { createInstruments, scopeName } from "./instruments.ts";
import { listenToOperation } from "./operation-listener.ts";
import type { PackageTelemetry } from "./package-telemetry.ts";

/** Where the telemetry of a package goes, and how. */
export interface Destination {
  /** `undefined` is the provider that is registered globally at the time. */
  readonly meterProvider: MeterProvider | undefined;
  /** `undefined` is the provider that is registered globally at the time. */
  readonly tracerProvider: TracerProvider | undefined;
  readonly maxAttributeValues: number;
  readonly attributes: Attributes;
  readonly clock: Clock;
}

/** A package that is listened to. */
export interface Listening {
  readonly drops: Drops;
  /** Harmless when called again. The last holder to release it ends it. */
  release(): void;
}

interface Shared {
  readonly destination: Destination;
  readonly drops: Drops;
  readonly end: () => void;
  holders: number;
}

const sharedByPackage = new Map<string, Set<Shared>>();

/**
 * Listens to a package. One that is listened to already for the same providers is shared, so that nothing is counted
 * twice; the first holder's settings stay.
 */
export function listen(telemetry: PackageTelemetry, destination: Destination): Listening {
  const { meterProvider, tracerProvider } = destination;
  const ofPackage = sharedByPackage.get(telemetry.name) ?? new Set();
  sharedByPackage.set(telemetry.name, ofPackage);
  const shared =
    [...ofPackage].find(
      (known) =>
        known.destination.meterProvider === meterProvider && known.destination.tracerProvider === tracerProvider,
    ) ?? begin(telemetry, destination);
  ofPackage.add(shared);
  shared.holders += 1;
  let held = true;
  return {
    drops: shared.drops,
    release() {
      if (!held) return;
      held = false;
      shared.holders -= 1;
      if (shared.holders > 0) return;
      ofPackage.delete(shared);
      if (ofPackage.size === 0) sharedByPackage.delete(telemetry.name);
      shared.end();
    },
  };
}

function begin(telemetry: PackageTelemetry, destination: Destination): Shared {
  const { meterProvider, tracerProvider, maxAttributeValues, attributes, clock } = destination;
  const instruments = createInstruments(() => meterProvider ?? metrics.getMeterProvider());
  const drops = createDrops(instruments, telemetry.name);
  const source = {
    telemetry,
    clock,
    instruments,
    drops,
    values: createAttributeValues(maxAttributeValues),
    constants: { ...attributes, ...telemetry.constants },
    tracer: () => (tracerProvider ?? trace.getTracerProvider()).getTracer(scopeName),
  };
  const ends = [
    listenToEvents(source),
    ...Object.entries(telemetry.operations ?? {}).map(([name, fields]) => listenToOperation(source, name, fields)),
  ];
  return {
    destination,
    drops,
    holders: 0,
    end() {
      for (const end of ends) end();
    },
  };
}
