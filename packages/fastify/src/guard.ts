import type { AdapterOptions, AdapterSettings, GuardContext, HttpGuard, HttpHandler, HttpReply } from "@sluice/http";
import { describesContent, Visit, type Admission, type VisitMessages, type VisitPlace } from "@sluice/http/node";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest, RouteOptions } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** What the guards before this handler have told. */
    readonly sluice: Readonly<Partial<GuardContext>>;
    [visited]?: Visit;
  }
  interface FastifyInstance {
    readonly [installed]: AdapterSettings & Pick<FastifyOptions, "principal">;
  }
}

/** What an application tells this adapter. */
export interface FastifyOptions extends AdapterOptions {
  /** Guards of every route, also of unknown ones: the stage `address` in `onRequest`, `principal` in `preParsing`. */
  readonly guards?: readonly HttpGuard[];
  /** Who has been authenticated, for guards of the stage `principal`. Default: nobody. */
  readonly principal?: (request: FastifyRequest) => string | undefined;
}

/** Where the plugin keeps its settings, and each request's visit. */
export const installed: unique symbol = Symbol("sluice.installed");
export const visited: unique symbol = Symbol("sluice.visited");

/** A hook for `onRequest`, `preParsing`, `preValidation` and `preHandler`. Its last argument goes on. */
export type GuardHook = (request: FastifyRequest, reply: FastifyReply, ...rest: readonly unknown[]) => void;

/**
 * A guard as a hook of a scope or of a route: guards of the stage `address` before authentication, those of the stage
 * `principal` after it, and both before the body is parsed. Needs the plugin `sluice`, which has the options.
 */
export function guard(httpGuard: HttpGuard): GuardHook {
  return function sluiceGuard(request, reply, ...rest): void {
    const done = rest.at(-1) as (error?: Error) => void;
    const proceed = (admission: Admission): void => {
      if (admission === true) done();
      else if (admission !== false) sendReply(reply, admission);
    };
    const admission = visitOf(request, reply).admit(httpGuard, placeOf(request, httpGuard.stage));
    if (admission instanceof Promise) void admission.then(proceed).catch(done);
    else proceed(admission);
  };
}

/** A route of Fastify that a handler answers which no framework owns. */
export interface NeutralRoute extends Omit<RouteOptions, "handler"> {
  readonly handler: HttpHandler;
}

/**
 * Mounts a handler that no framework owns: `app.register(handle({ method: "POST", url: "/payments", handler }))`. It
 * reads the body as it came, whatever its content type: the route has a scope of its own, in which no parser runs.
 */
export function handle({ handler, ...route }: NeutralRoute): FastifyPluginCallback {
  return function sluiceHandler(scope, _options, done): void {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
    scope.route({
      ...route,
      async handler(request, reply) {
        sendReply(reply, await handler(visitOf(request, reply).requestAt(placeOf(request, "principal"))));
        return reply;
      },
    });
    done();
  };
}

/** The visit of a request. */
export function visitOf(request: FastifyRequest, reply: FastifyReply): Visit {
  const { raw, id, server } = request;
  return (request[visited] ??= Visit.of(
    { request: raw, response: reply.raw, headers: headersOf(reply), id },
    server[installed],
  ));
}

/** Headers that Fastify has not sent: on the response itself, each of them costs it several times as much. */
function headersOf(reply: FastifyReply): NonNullable<VisitMessages["headers"]> {
  return {
    setHeader: (name, value) => reply.header(name, value),
    removeHeader: (name) => reply.removeHeader(name),
  };
}

function placeOf(request: FastifyRequest, stage: HttpGuard["stage"]): VisitPlace {
  const principal = stage === "principal" ? request.server[installed].principal?.(request) : undefined;
  return { principal, route: () => request.routeOptions.url };
}

/** Sends a whole reply in place of whatever the handler has prepared. Bytes, so that Fastify leaves its type alone. */
export function sendReply(reply: FastifyReply, { status, headers, body }: HttpReply): void {
  for (const name of Object.keys(reply.getHeaders())) if (describesContent(name)) reply.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  void reply.code(status).send(body === undefined ? undefined : Buffer.from(body));
}
