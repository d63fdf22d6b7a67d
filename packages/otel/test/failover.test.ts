import { eventChannel } from "@sluice/core";
import { expect, it, onTestFinished } from "vitest";

import { instrument } from "../src/index.ts";
import { createTestTelemetry } from "./support/test-telemetry.ts";

// What a failover of PostgreSQL publishes, as its own tests see it.
const failover = [
  { type: "primary-lost", host: "db-1:5432", role: "down" },
  { type: "host-evicted", host: "db-1:5432", role: "down", clients: 7 },
  { type: "host-evicted", host: "db-2:5432", role: "read-only", clients: 1 },
  { type: "client-destroyed", host: "db-1:5432", reason: "deadline" },
  { type: "primary-found", host: "db-2:5432", afterMs: 1500 },
  { type: "route", target: "primary", host: "db-2:5432", reason: "replica-down" },
  { type: "route", target: "replica", host: "db-3:5432" },
];

it("a failover of PostgreSQL can be read from the metrics, without the names of its hosts", async () => {
  const { meterProvider, metric, metrics, points } = createTestTelemetry();
  const instrumentation = instrument({ packages: ["postgres"], meterProvider });
  onTestFinished(() => instrumentation.stop());
  const events = eventChannel<object>("sluice:postgres");
  for (const event of failover) events.publish(event);
  const system = { "db.system.name": "postgresql" };
  expect(await points("sluice.postgres.primary.lost")).toEqual([[{ ...system, "sluice.postgres.role": "down" }, 1]]);
  expect(await points("sluice.postgres.clients.evicted")).toEqual([
    [{ ...system, "sluice.postgres.role": "down" }, 7],
    [{ ...system, "sluice.postgres.role": "read-only" }, 1],
  ]);
  expect(await points("sluice.postgres.clients.destroyed")).toEqual([
    [{ ...system, "sluice.postgres.reason": "deadline" }, 1],
  ]);
  expect(await points("sluice.postgres.reads")).toEqual([
    [{ ...system, "sluice.postgres.target": "primary", "sluice.postgres.route.reason": "replica-down" }, 1],
    [{ ...system, "sluice.postgres.target": "replica" }, 1],
  ]);
  expect(await metric("sluice.postgres.primary.absence")).toMatchObject({ dataPoints: [{ value: { sum: 1.5 } }] });
  expect(JSON.stringify(await metrics())).not.toContain("db-1");
  expect(instrumentation.dropped).toBe(0);
});
