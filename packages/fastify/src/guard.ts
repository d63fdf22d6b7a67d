import type { HttpGuard, HttpReply } from "@sluice/http";
import { describesContent } from "@sluice/http/node";
import type { FastifyReply, FastifyRequest } from "fastify";

import { installed, visitOf } from "./plugin.ts";

/** A hook for `onRequest`, `preParsing`, `preValidation` and `preHandler`. The last argument goes on. */
export type GuardHook = (request: FastifyRequest, reply: FastifyReply, ...rest: readonly unknown[]) => void;

/**
 * A guard as a hook of a scope or of a route: guards of the stage `address` go before authentication, those of the
 * stage `principal` after it, and both before the body is parsed. Needs the plugin `sluice`, which has the options.
 */
export function guard(httpGuard: HttpGuard): GuardHook {
  return function sluiceGuard(request, reply, ...rest): void {
    const done = rest.at(-1) as (error?: Error) => void;
    const visit = visitOf(request, reply);
    const proceed = (admitted: boolean): void => {
      if (!admitted) return;
      request.sluice = visit.context;
      done();
    };
    const principal = httpGuard.stage === "principal" ? request.server[installed].principal?.(request) : undefined;
    const route = request.routeOptions.url;
    const admitted = visit.admit(httpGuard, { principal, route, send: (answer) => sendReply(reply, answer) });
    if (admitted instanceof Promise) void admitted.then(proceed).catch(done);
    else proceed(admitted);
  };
}

/** Sends a whole reply in place of whatever the handler has prepared. Bytes, so that Fastify leaves its type alone. */
export function sendReply(reply: FastifyReply, { status, headers, body }: HttpReply): void {
  for (const name of Object.keys(reply.getHeaders())) if (describesContent(name)) reply.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  void reply.code(status).send(body === undefined ? undefined : Buffer.from(body));
}
