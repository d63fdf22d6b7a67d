import { createSingleFlight, systemClock } from "@sluice/core";
import { z } from "zod";

import { errorAnswers, ok, success } from "./envelope.ts";
import { Failure } from "./failure.ts";
import type { Server } from "./server.ts";

/** What the health routes ask. */
export interface HealthOptions {
  /** Throws when the database does not answer in time. */
  readonly inspectDatabase: () => Promise<{ readonly writable: boolean }>;
  /** Whether the process has been told to stop. */
  readonly isDraining: () => boolean;
}

const live = success(z.object({ status: z.literal("live") }));
const ready = success(
  z.object({
    status: z.literal("ready"),
    checks: z.object({
      database: z.object({
        ok: z.literal(true),
        writable: z.boolean().describe("Whether there is a primary; without one replicas answer reads for a while"),
        duration_ms: z.number(),
      }),
    }),
  }),
);

/**
 * `/health/live` is 200 for as long as the process runs, `/healthz` is the same, and `/health/ready` asks the database.
 * Redis is not asked: without it everything is answered.
 */
export function healthRoutes(server: Server, { inspectDatabase, isDraining }: HealthOptions): void {
  const flight = createSingleFlight<{ readonly writable: boolean; readonly duration_ms: number }>();
  for (const url of ["/health/live", "/healthz"]) {
    const schema = { tags: ["health"], summary: "Is the process running?", response: { 200: live } };
    server.get(url, { schema }, async ({ id }) => ok(id, { status: "live" as const }));
  }
  const schema = { tags: ["health"], summary: "May it get requests?", response: { 200: ready, ...errorAnswers } };
  server.get("/health/ready", { schema }, async ({ id, log }) => {
    if (isDraining()) throw notReady("The process is shutting down", { database: { ok: true } });
    try {
      const database = await flight.run("database", () => timed(inspectDatabase));
      return ok(id, { status: "ready" as const, checks: { database: { ok: true as const, ...database } } });
    } catch (error) {
      log.warn({ error: { message: error instanceof Error ? error.message : "unknown" } }, "Database does not answer");
      throw notReady("The database does not answer", { database: { ok: false } });
    }
  });
}

async function timed<Found extends object>(work: () => Promise<Found>): Promise<Found & { duration_ms: number }> {
  const startedMs = systemClock.monotonic();
  const found = await work();
  return { ...found, duration_ms: Math.round((systemClock.monotonic() - startedMs) * 100) / 100 };
}

function notReady(message: string, checks: object): Failure {
  return new Failure(503, ["NOT_READY", message], { headers: { "retry-after": "2" }, details: { checks } });
}
