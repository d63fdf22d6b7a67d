import type { PackageTelemetry } from "../package-telemetry.ts";

export const http = {
  name: "http",
  events: {
    "before-failed": [
      {
        instrument: "counter",
        name: "sluice.http.guard.before_failures",
        unit: "{failure}",
        description: "Guards that failed before the handler, whose clients got an error.",
        attributes: { "sluice.http.guard": "guard", "error.type": "error" },
      },
    ],
    "settle-failed": [
      {
        instrument: "counter",
        name: "sluice.http.guard.settle_failures",
        unit: "{failure}",
        description: "Guards that failed after the handler, or took too long.",
        attributes: { "sluice.http.guard": "guard", "sluice.http.outcome": "outcome", "error.type": "error" },
      },
    ],
    "release-failed": [
      {
        instrument: "counter",
        name: "sluice.http.guard.release_failures",
        unit: "{failure}",
        description: "Replies that had been held and could not be sent.",
        attributes: { "sluice.http.guard": "guard", "error.type": "error" },
      },
    ],
    "request-failed": [
      {
        instrument: "counter",
        name: "sluice.http.request.failures",
        unit: "{request}",
        description: "Requests whose handler failed by no fault of the client.",
        attributes: { "error.type": "error" },
      },
    ],
  },
} as const satisfies PackageTelemetry;
