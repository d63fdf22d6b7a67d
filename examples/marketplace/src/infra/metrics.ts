import type { Meter } from "@opentelemetry/api";
import type { HostStatus } from "@sluice/postgres/connect";

/** A finished request, as the metrics count it. */
export interface FinishedRequest {
  readonly method: string;
  /** The pattern, never the URL. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What the service counts of itself. Durations in seconds, as Prometheus has them. */
export interface Metrics {
  requestFinished(request: FinishedRequest): void;
  /** Shows the servers of the database, as `hosts` knows them at each reading. */
  watchHosts(hosts: () => readonly HostStatus[]): void;
}

// Node knows three dozen methods; clients use these.
const countedMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The method as metrics and spans name it: there are only so many. */
export function countedMethod(method: string): string {
  return countedMethods.has(method) ? method : "other";
}

/** Metrics of the service on a meter. Counters get `_total` in Prometheus. */
export function createMetrics(meter: Meter): Metrics {
  const total = meter.createCounter("http_requests", { description: "Requests answered" });
  const duration = meter.createHistogram("http_request_duration_seconds", {
    description: "Time from the first byte of a request to the last of its answer",
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10] },
  });
  return {
    requestFinished({ method, route, status, durationMs }) {
      const labels = { method: countedMethod(method), route, status: String(status) };
      total.add(1, labels);
      duration.record(durationMs / 1000, labels);
    },
    watchHosts: (hosts) => watchHosts(meter, hosts),
  };
}

function watchHosts(meter: Meter, hosts: () => readonly HostStatus[]): void {
  const pool = meter.createObservableGauge("db_pool_connections", {
    description: "Connections to a server by state; waiting counts callers without one",
  });
  const role = meter.createObservableGauge("db_host_role", {
    description: "1 for the role that a server was last found to have",
  });
  const lag = meter.createObservableGauge("db_replica_lag_seconds", {
    description: "Oldest that the data of a replica may be",
  });
  meter.addBatchObservableCallback(
    (result) => {
      for (const { host, totalCount, idleCount, waitingCount, lagMs, ...status } of hosts()) {
        result.observe(pool, totalCount - idleCount, { host, state: "used" });
        result.observe(pool, idleCount, { host, state: "idle" });
        result.observe(pool, waitingCount, { host, state: "waiting" });
        result.observe(role, 1, { host, role: status.role });
        if (lagMs !== undefined) result.observe(lag, lagMs / 1000, { host });
      }
    },
    [pool, role, lag],
  );
}
