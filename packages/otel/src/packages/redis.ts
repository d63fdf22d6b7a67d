import type { EventMetric, PackageTelemetry } from "../package-telemetry.ts";

const byRole = { "sluice.redis.role": "role" };
const byShard = { ...byRole, "sluice.redis.shard": "shard" };

export const redis = {
  name: "redis",
  constants: { "db.system.name": "redis" },
  events: {
    "client-warning": [
      {
        instrument: "counter",
        name: "sluice.redis.client.warnings",
        unit: "{warning}",
        description: "Dangerous options found on clients that the application brought.",
        attributes: { "sluice.redis.client": "client" },
      },
    ],
    "breaker-opened": breakerMetrics("open"),
    "breaker-closed": breakerMetrics("closed"),
    "connection-ready": [
      {
        instrument: "counter",
        name: "sluice.redis.connection.ready",
        unit: "{connection}",
        description: "Connections that became ready for commands.",
        attributes: byRole,
      },
    ],
    "connection-lost": [
      {
        instrument: "counter",
        name: "sluice.redis.connection.lost",
        unit: "{connection}",
        description: "Connections that ended or could not be made.",
        attributes: byRole,
      },
    ],
    "subscription-doubt": [
      {
        instrument: "counter",
        name: "sluice.redis.subscription.doubts",
        unit: "{doubt}",
        description: "Times that a subscription may have missed messages.",
        attributes: { ...byRole, "sluice.redis.subscription.doubt": "doubt" },
      },
    ],
    "compensation-failed": [
      {
        instrument: "counter",
        name: "sluice.redis.compensation.failures",
        unit: "{compensation}",
        description: "Compensations that failed; what they were to undo ends by its own expiry.",
        attributes: { "sluice.redis.script": "script", "error.type": "error" },
      },
    ],
  },
} as const satisfies PackageTelemetry;

function breakerMetrics(state: "open" | "closed"): readonly EventMetric[] {
  return [
    {
      instrument: "gauge",
      name: "sluice.redis.breaker.state",
      unit: "{breaker}",
      description: "1 while calls are refused without being sent, otherwise 0.",
      attributes: byShard,
      value: state === "open" ? 1 : 0,
    },
    {
      instrument: "counter",
      name: "sluice.redis.breaker.transitions",
      unit: "{transition}",
      description: "Changes of the breaker's state.",
      attributes: byShard,
      constants: { "sluice.redis.breaker.state": state },
    },
  ];
}
