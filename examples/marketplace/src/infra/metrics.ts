import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a connection pool shows of itself. */
export interface PoolUsage {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** A finished request, as the metrics count it. */
export interface FinishedRequest {
  readonly method: string;
  /** The pattern, never the URL. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What this process counts. Closing it is not needed: the registry is its own. */
export interface Metrics {
  requestFinished(request: FinishedRequest): void;
  watchPool(name: string, pool: PoolUsage): void;
  /** The Prometheus text format, and its content type. */
  text(): Promise<string>;
  readonly contentType: string;
}

const labelNames = ["method", "route", "status"] as const;
// Node knows three dozen methods; clients use these.
const countedMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Metrics of one process, with Node's own beside them. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const total = new Counter({ name: "http_requests_total", help: "Requests answered", labelNames, registers });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the first byte of a request to the last of its answer",
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const pools = new Map<string, PoolUsage>();
  const gauge = new Gauge({
    name: "db_pool_connections",
    help: "Connections of a pool by state; waiting counts callers without one",
    labelNames: ["pool", "state"],
    registers,
    collect: () => {
      for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
        gauge.set({ pool, state: "used" }, totalCount - idleCount);
        gauge.set({ pool, state: "idle" }, idleCount);
        gauge.set({ pool, state: "waiting" }, waitingCount);
      }
    },
  });
  return {
    requestFinished({ method, route, status, durationMs }) {
      const labels = { method: countedMethods.has(method) ? method : "other", route, status: String(status) };
      total.inc(labels);
      duration.observe(labels, durationMs / 1000);
    },
    watchPool: (name, pool) => void pools.set(name, pool),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
