import type { FastifyReply, FastifyRequest } from "fastify";

import type { Failure } from "./failure.ts";

/** Renders a failure, the one place that does. Its cause is logged, and never shown. */
export function sendFailure(failure: Failure, request: FastifyRequest, reply: FastifyReply): void {
  if (failure.status >= 500) logCause(failure, request);
  void reply
    .code(failure.status)
    .headers(failure.headers)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(errorOf(failure, request.id));
}

/** The body of an error. */
export function errorOf({ code, message, details }: Pick<Failure, "code" | "message" | "details">, traceId: string) {
  return { ok: false, error: { code, message, ...details }, trace_id: traceId };
}

function logCause(failure: Failure, request: FastifyRequest): void {
  const { name, message, stack } = failure.cause instanceof Error ? failure.cause : failure;
  request.log.error({ error_code: failure.code, error: { name, message, stack } }, "Request failed");
}
