import type { PackageTelemetry } from "../package-telemetry.ts";

export const core = {
  name: "core",
  events: {
    "single-flight.unshared": [
      {
        instrument: "counter",
        name: "sluice.core.single_flight.unshared",
        unit: "{call}",
        description: "Calls that ran alone, because too many keys were already running.",
      },
    ],
  },
} as const satisfies PackageTelemetry;
