import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

// What may travel through logs, headers and shells unquoted. Bounded, so that a client cannot fill the logs.
const safeId = /^[A-Za-z0-9._-]{1,128}$/;
// W3C Trace Context, version 00 and whatever later versions append.
const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/**
 * The one id of a request: a valid incoming `X-Request-Id`, else the trace id of a valid `traceparent`, else a new one.
 * It is the response's `X-Request-Id`, the body's `trace_id` and the log's `request_id`.
 */
export function requestId(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  if (typeof given === "string" && safeId.test(given)) return given;
  const parent = headers["traceparent"];
  return (typeof parent === "string" ? traceParent.exec(parent)?.[1] : undefined) ?? randomUUID();
}
