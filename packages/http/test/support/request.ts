import type { HttpRequest } from "@sluice/http";
import { testRequest, type TestRequestParts } from "@sluice/http/testing";

/** A request whose id the tests know. */
export function makeRequest(parts: TestRequestParts = {}): HttpRequest {
  return testRequest({ id: "req-1", ...parts });
}
