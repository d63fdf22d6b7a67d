import {
  adapterSettings,
  requestId,
  type AdapterOptions,
  type AdapterSettings,
  type GuardContext,
  type HttpGuard,
} from "@sluice/http";
import { Visit } from "@sluice/http/node";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";

import { guard } from "./guard.ts";

/** What an application tells this adapter. */
export interface FastifyOptions extends AdapterOptions {
  /** Guards of every route, also of unknown ones: the stage `address` in `onRequest`, `principal` in `preParsing`. */
  readonly guards?: readonly HttpGuard[];
  /** Who has been authenticated, for guards of the stage `principal`. Default: nobody. */
  readonly principal?: (request: FastifyRequest) => string | undefined;
}

/** What the plugin keeps for its hooks and handlers. */
export interface Installed extends AdapterSettings {
  readonly principal: FastifyOptions["principal"];
}

export const installed: unique symbol = Symbol("sluice");

declare module "fastify" {
  interface FastifyRequest {
    /** What the guards before this handler have told. */
    sluice: Readonly<Partial<GuardContext>>;
  }
  interface FastifyInstance {
    readonly [installed]: Installed;
  }
}

/** The visit of a request, which the plugin has begun. */
export function visitOf(request: FastifyRequest, reply: FastifyReply): Visit {
  const messages = { request: request.raw, response: reply.raw, id: request.id };
  return Visit.of(messages, request.server[installed]);
}

const plugin: FastifyPluginCallback<FastifyOptions> = (app, options, done) => {
  const settings = adapterSettings(options);
  const { guards = [], principal } = options;
  app.decorate(installed, { ...settings, principal });
  app.decorateRequest("sluice");
  app.setGenReqId(({ headers }) => {
    const header = (name: string): string | undefined => headers[name]?.toString();
    return requestId({ header }, settings.random);
  });
  app.addHook("onRequest", (request, reply, next) => {
    request.sluice = visitOf(request, reply).context;
    next();
  });
  app.addHook("onError", (request, reply, error, next) => {
    visitOf(request, reply).fail(error);
    next();
  });
  for (const each of guards) app.addHook(each.stage === "address" ? "onRequest" : "preParsing", guard(each));
  done();
};

/**
 * Registers what guards and neutral handlers need. Register it first: Fastify hides it from plugins that were
 * registered before. Authenticate in `onRequest`, so that guards of the stage `principal` know who it is before the
 * body is parsed.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export const sluice: FastifyPluginCallback<FastifyOptions> = fastifyPlugin(plugin, {
  name: "@sluice/fastify",
  fastify: "5.x",
});
