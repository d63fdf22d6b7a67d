import type { PackageTelemetry } from "../package-telemetry.ts";

export const lock = {
  name: "lock",
  events: {
    acquired: [
      {
        instrument: "histogram",
        name: "sluice.lock.wait",
        unit: "s",
        description: "Waits for locks that were acquired.",
        value: "waitedMs",
        scale: 0.001,
      },
    ],
    busy: [
      {
        instrument: "counter",
        name: "sluice.lock.busy",
        unit: "{lock}",
        description: "Locks that were not free in time.",
        attributes: { "sluice.lock.reason": "reason" },
      },
    ],
    lost: [
      {
        instrument: "counter",
        name: "sluice.lock.lost",
        unit: "{lock}",
        description: "Locks that were lost while they were held.",
        attributes: { "sluice.lock.reason": "reason" },
      },
    ],
    degraded: [
      {
        instrument: "counter",
        name: "sluice.lock.degraded",
        unit: "{lock}",
        description: "Works that ran without their lock, because its store could not be asked.",
        attributes: { "error.type": "error" },
      },
    ],
  },
  operations: { hold: {} },
} as const satisfies PackageTelemetry;
