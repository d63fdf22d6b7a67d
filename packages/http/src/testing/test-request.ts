import type { HttpRequest } from "../request.ts";

/** What a test says of a request. */
export interface TestRequestParts extends Partial<Omit<HttpRequest, "header" | "body" | "path">> {
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is UTF-8. Default: empty. */
  readonly body?: string | Uint8Array;
}

/**
 * A request that no client has sent: a GET of `/` from 203.0.113.7, unless the parts say otherwise.
 *
 * @example
 * ```ts
 * import { testRequest } from "@sluice/http/testing";
 *
 * testRequest({ method: "POST", headers: { "idempotency-key": "k-1" } }).header("Idempotency-Key"); // => "k-1"
 * ```
 */
export function testRequest(parts: TestRequestParts = {}): HttpRequest {
  const { headers = {}, body = "", url = "/", ...rest } = parts;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return {
    method: "GET",
    route: undefined,
    id: "test-request",
    address: "203.0.113.7",
    principal: undefined,
    signal: new AbortController().signal,
    ...rest,
    url,
    path: url.replace(/\?.*$/s, ""),
    header: (name) => (Object.hasOwn(headers, name.toLowerCase()) ? headers[name.toLowerCase()] : undefined),
    body: () => Promise.resolve(bytes),
  };
}
