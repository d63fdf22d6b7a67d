import type { Metrics } from "../infra/metrics.ts";
import type { Telemetry } from "../infra/telemetry.ts";
import { routeOf } from "./log.ts";
import type { Server } from "./server.ts";

/** Counts every request. */
export function countRequests(server: Pick<Server, "addHook">, metrics: Metrics): void {
  server.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    metrics.requestFinished({
      method,
      route: routeOf(request),
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
  });
}

/** `GET /metrics`, in the Prometheus text format. Not registered where metrics are switched off: 404. */
export function metricsRoute(server: Server, telemetry: Pick<Telemetry, "contentType" | "text">): void {
  server.get("/metrics", { schema: { hide: true } }, async (_request, reply) => {
    void reply.type(telemetry.contentType);
    return telemetry.text();
  });
}
