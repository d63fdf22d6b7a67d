import { HttpError, internalError } from "./http-error.ts";
import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

/** The reply that tells a client of an error. What is no {@link HttpError} is a 500 that says nothing of its cause. */
export function errorReply(error: unknown, request: Pick<HttpRequest, "method" | "id">): HttpReply {
  const { status, code, init, headers, details } = error instanceof HttpError ? error : internalError(error);
  const body = { ok: false, error: { ...details, code, message: init.message }, trace_id: request.id };
  return {
    status,
    headers: {
      "cache-control": "no-store",
      ...headers,
      "content-type": "application/json; charset=utf-8",
      "x-request-id": request.id,
    },
    body: request.method === "HEAD" ? undefined : JSON.stringify(body),
  };
}
