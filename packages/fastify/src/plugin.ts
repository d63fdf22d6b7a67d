import { adapterSettings, requestId, type AdapterOptions, type AdapterSettings } from "@sluice/http";
import type { GuardContext, HttpGuard, HttpHandler, HttpReply } from "@sluice/http";
import { describesContent, Visit, type Admission, type VisitPlace } from "@sluice/http/node";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import fastifyPlugin from "fastify-plugin";

const installed: unique symbol = Symbol("sluice");

declare module "fastify" {
  interface FastifyRequest {
    /** What the guards before this handler have told. */
    readonly sluice: Readonly<Partial<GuardContext>>;
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

const plugin: FastifyPluginCallback<FastifyOptions> = (app, { guards = [], principal, ...options }, done) => {
  const settings = adapterSettings(options);
  app.decorate(installed, { ...settings, ...(principal && { principal }) });
  app.decorateRequest("sluice", { getter: contextOf });
  app.setGenReqId(({ headers }) => requestId({ header: (name) => headers[name]?.toString() }, settings.random));
  app.addHook("onRequest", (request, reply, next) => {
    visitOf(request, reply);
    next();
  });
  app.addHook("onError", async (request, reply, error) => visitOf(request, reply).fail(error));
  for (const each of guards) app.addHook(each.stage === "address" ? "onRequest" : "preParsing", guard(each));
  done();
};

/**
 * Registers what guards and neutral handlers need. Register it first: Fastify hides it from plugins that were
 * registered before. Authenticate in `onRequest`: guards of the stage `principal` come right after, before the body.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export const sluice: FastifyPluginCallback<FastifyOptions> = fastifyPlugin(plugin, { name: "@sluice/fastify" });

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
export type NeutralRoute = Omit<RouteOptions, "handler"> & { readonly handler: HttpHandler };

/**
 * Mounts a handler that no framework owns: `app.register(handle({ method: "POST", url: "/payments", handler }))`. It
 * reads the body as it came, whatever its content type: the route has a scope of its own, in which no parser runs.
 */
export function handle({ handler, ...route }: NeutralRoute): FastifyPluginCallback {
  const neutral: RouteOptions["handler"] = async (request, reply) => {
    sendReply(reply, await handler(visitOf(request, reply).requestAt(placeOf(request, "principal"))));
    return reply;
  };
  return function sluiceHandler(scope, _options, done): void {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
    scope.route({ ...route, handler: neutral });
    done();
  };
}

function contextOf(this: FastifyRequest): FastifyRequest["sluice"] {
  return Visit.at(this.raw)?.context ?? {};
}

/** The visit of a request. It sets headers on the reply: each costs several times as much on the response itself. */
export function visitOf(request: FastifyRequest, reply: FastifyReply): Visit {
  const { raw, id, server } = request;
  return Visit.at(raw) ?? Visit.of({ request: raw, response: reply.raw, headers: reply, id }, server[installed]);
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
