import type { FastifyBaseLogger, FastifyRequest } from "fastify";

import type { AnyServer } from "./server.ts";

/** Something to write log lines with. */
export type Log = Pick<FastifyBaseLogger, "info" | "warn" | "error" | "debug">;

/** How lines look: JSON with `level` as text, `timestamp` in ISO milliseconds, and `message`. */
export function logOptions(level: string, stream: NodeJS.WritableStream) {
  return {
    level,
    stream: { write: (line: string) => void stream.write(line) },
    base: null,
    messageKey: "message",
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
}

/** One line per request: method, route, status_code and duration_ms beside the fields of every line. */
export function logRequests(server: Pick<AnyServer, "addHook">): void {
  server.addHook("onResponse", async (request, reply) => {
    const status = reply.statusCode;
    const facts = {
      method: request.method,
      route: routeOf(request),
      status_code: status,
      duration_ms: Math.round(reply.elapsedTime * 100) / 100,
    };
    request.log[levelOf(status, facts.route)](facts, "Request completed");
  });
}

/** The pattern of the route, never the URL: bounded, and without what users typed. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? "unmatched" : (request.routeOptions.url ?? "unmatched");
}

// A probe each second would drown the rest.
const probes = /^\/(health|healthz|metrics)/;

/** Whether machines ask for the route again and again. */
export function isProbe(route: string): boolean {
  return probes.test(route);
}

function levelOf(status: number, route: string): "info" | "error" | "debug" {
  if (status >= 500) return "error";
  return isProbe(route) ? "debug" : "info";
}
