import type { PackageTelemetry } from "../package-telemetry.ts";

export const cache = {
  name: "cache",
  events: {
    read: [
      {
        instrument: "histogram",
        name: "sluice.cache.read.duration",
        unit: "s",
        description: "Reads, by what answered them.",
        attributes: { "sluice.cache.scope": "scope", "sluice.cache.outcome": "outcome" },
        value: "durationMs",
        scale: 0.001,
      },
    ],
    "store-failed": [
      {
        instrument: "counter",
        name: "sluice.cache.store.failures",
        unit: "{failure}",
        description: "Times that the store of a cache began to fail.",
        attributes: { "error.type": "error" },
      },
    ],
  },
  operations: {
    load: { attributes: { "sluice.cache.scope": "scope", "sluice.cache.reason": "reason" } },
  },
} as const satisfies PackageTelemetry;
