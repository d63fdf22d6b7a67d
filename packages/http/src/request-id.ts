import { systemRandom, type Random } from "@sluice/core";

import type { HttpRequest } from "./request.ts";
import { uuid } from "./uuid.ts";

// What may travel through logs, headers and shells unquoted. Bounded, so that a client cannot fill the logs.
const safeId = /^[A-Za-z0-9._-]{1,128}$/;
// Version 00, and whatever later versions append. Ids of zeros only and version ff are invalid.
const traceParent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/**
 * The one id of a request: a valid incoming `X-Request-Id`, else the trace id of a valid `traceparent`
 * ({@link https://www.w3.org/TR/trace-context/ | W3C Trace Context}), else a new UUID. The reply's `X-Request-Id`, an
 * error's `trace_id` and the log's `request_id` are this one.
 *
 * @param request - Where the headers are. Those of a repeated header come joined, which no valid id is.
 * @param random - Makes a new id. Default {@link systemRandom}.
 */
export function requestId(request: Pick<HttpRequest, "header">, random: Random = systemRandom): string {
  const given = request.header("x-request-id");
  if (given !== undefined && safeId.test(given)) return given;
  const parent = request.header("traceparent");
  return (parent === undefined ? undefined : traceParent.exec(parent)?.[1]) ?? uuid(random);
}
