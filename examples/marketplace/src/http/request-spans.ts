import { context, defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span, Tracer } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { FastifyReply, FastifyRequest } from "fastify";

import { countedMethod } from "../infra/metrics.ts";
import { isProbe, routeOf } from "./log.ts";
import type { Server } from "./server.ts";

const propagator = new W3CTraceContextPropagator();

/** Gives every request a span, under the client's where `traceparent` names one, and runs its handler inside. */
export function traceRequests(server: Pick<Server, "addHook">, tracer: Tracer): void {
  server.addHook("onRequest", (request, reply, done) => {
    const route = routeOf(request);
    if (isProbe(route)) return done();
    const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
    const span = tracer.startSpan(`${countedMethod(request.method)} ${route}`, optionsOf(request, route), parent);
    // Also when the client has gone, which no hook would tell.
    reply.raw.once("close", () => end(span, reply));
    context.with(trace.setSpan(parent, span), done);
  });
}

function optionsOf({ method, id }: FastifyRequest, route: string) {
  const attributes = { "http.request.method": countedMethod(method), "http.route": route, request_id: id };
  return { kind: SpanKind.SERVER, attributes };
}

function end(span: Span, { statusCode, raw }: FastifyReply): void {
  const isAnswered = raw.writableFinished;
  if (isAnswered) span.setAttribute("http.response.status_code", statusCode);
  else span.setAttribute("error.type", "aborted");
  if (!isAnswered || statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
