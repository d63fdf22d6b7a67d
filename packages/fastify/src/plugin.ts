import { adapterSettings, requestId } from "@sluice/http";
import type { FastifyPluginCallback } from "fastify";
import fastifyPlugin from "fastify-plugin";

import { guard, installed, visited, visitOf, type FastifyOptions } from "./guard.ts";

const plugin: FastifyPluginCallback<FastifyOptions> = (app, options, done) => {
  const { guards = [], principal } = options;
  const settings = adapterSettings(options);
  app.decorate(installed, { ...settings, ...(principal && { principal }) });
  app.decorateRequest(visited);
  app.decorateRequest("sluice", {
    getter() {
      return this[visited]?.context ?? {};
    },
  });
  app.setGenReqId(({ headers }) => requestId({ header: (name) => headers[name]?.toString() }, settings.random));
  app.addHook("onRequest", (request, reply, next) => {
    visitOf(request, reply);
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
 * registered before. Authenticate in `onRequest`: guards of the stage `principal` come right after, before the body.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export const sluice: FastifyPluginCallback<FastifyOptions> = fastifyPlugin(plugin, {
  name: "@sluice/fastify",
  fastify: "5.x",
});
