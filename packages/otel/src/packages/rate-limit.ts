import type { PackageTelemetry } from "../package-telemetry.ts";

export const rateLimit = {
  name: "rate-limit",
  events: {
    decision: [
      {
        instrument: "counter",
        name: "sluice.rate_limit.decisions",
        unit: "{decision}",
        description: "Calls that were let through or denied.",
        attributes: {
          "sluice.rate_limit.policy": "policy",
          "sluice.rate_limit.allowed": "allowed",
          "sluice.rate_limit.via": "via",
        },
      },
    ],
    "store-error": [
      {
        instrument: "counter",
        name: "sluice.rate_limit.store_errors",
        unit: "{decision}",
        description: "Decisions that were made without the store.",
        attributes: {
          "sluice.rate_limit.policy": "policy",
          "sluice.rate_limit.action": "action",
          "error.type": "error",
        },
      },
    ],
  },
} as const satisfies PackageTelemetry;
