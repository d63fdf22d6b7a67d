import { errorReply, type ErrorProfile, type HttpReply } from "@sluice/http";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { Failure } from "./failure.ts";

/** Renders a failure, the one place that does. Its cause is logged, and never shown. */
export function sendFailure(failure: Failure, { profile, request, reply }: Asked): void {
  if (failure.status >= 500) logCause(failure, request);
  const { method, id, headers } = request;
  const rendered = errorReply(failure, { method, id, header: (name) => headers[name]?.toString() }, { profile });
  const { vary = [], ...rest } = rendered.headers;
  for (const [name, value] of Object.entries(rest)) reply.header(name, value);
  // What was said before of the origin still holds.
  reply.header("vary", [reply.getHeader("vary") ?? [], vary].flat().join(", "));
  // Bytes, so that Fastify leaves their type alone.
  void reply.code(rendered.status).send(rendered.body === undefined ? undefined : Buffer.from(rendered.body));
}

/** Whom a failure is told. */
export interface Asked {
  readonly profile: ErrorProfile;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** The answer to what never became a request: it has no method and no headers. */
export function unaskedAnswer(failure: Failure, traceId: string): HttpReply {
  return errorReply(failure, { method: "GET", id: traceId, header: () => undefined }, { negotiate: false });
}

function logCause(failure: Failure, request: FastifyRequest): void {
  const { name, message, stack } = failure.cause instanceof Error ? failure.cause : failure;
  request.log.error({ error_code: failure.code, error: { name, message, stack } }, "Request failed");
}
