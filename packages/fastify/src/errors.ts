import {
  bodyTooLarge,
  malformedJson,
  methodNotAllowed,
  notFound,
  statusError,
  unsupportedMediaType,
} from "@sluice/http";
import type { FastifyError, FastifyPluginCallback } from "fastify";
import fastifyPlugin from "fastify-plugin";

import { sendReply } from "./guard.ts";
import { visitOf } from "./plugin.ts";
import { createRouteMethods } from "./route-methods.ts";

const plugin: FastifyPluginCallback = (app, _options, done) => {
  const routes = createRouteMethods(app);
  app.addHook("onRoute", ({ method, url }) => routes.add(url, [method].flat()));
  app.setNotFoundHandler((request, reply) => {
    const allowed = routes.methodsOf(request.url.replace(/\?.*$/, ""));
    const error = allowed.length > 0 ? methodNotAllowed(request.method, allowed) : notFound();
    sendReply(reply, visitOf(request, reply).failureReply(error));
  });
  app.setErrorHandler((error, request, reply) => {
    sendReply(reply, visitOf(request, reply).failureReply(translated(error)));
  });
  done();
};

/**
 * Answers 404, 405 with `Allow`, and whatever is thrown, in one shape. Register it after `sluice`, which has the
 * options, and before the routes.
 */
export const errors: FastifyPluginCallback = fastifyPlugin(plugin, {
  name: "@sluice/fastify/errors",
  fastify: "5.x",
  dependencies: ["@sluice/fastify"],
});

/** What Fastify, its parsers and its plugins throw, in the terms of every adapter. */
function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return bodyTooLarge(undefined, error);
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return unsupportedMediaType(undefined, error);
  if (code === "FST_ERR_CTP_INVALID_JSON_BODY" || code === "FST_ERR_CTP_EMPTY_JSON_BODY") return malformedJson(error);
  const isClientsFault = code?.startsWith("FST_") && statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return isClientsFault ? statusError(statusCode, { message: error.message, cause: error }) : error;
}
