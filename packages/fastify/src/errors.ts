import { bodyTooLarge, malformedJson, methodNotAllowed, notFound, statusError } from "@sluice/http";
import type { FastifyError, FastifyPluginCallback } from "fastify";
import fastifyPlugin from "fastify-plugin";
import findMyWay, { type HTTPMethod } from "find-my-way";

import { sendReply, visitOf } from "./plugin.ts";

const plugin: FastifyPluginCallback = (app, _options, done) => {
  // Fastify's own router does not tell which methods a path has.
  const router = findMyWay(app.initialConfig.routerOptions);
  const methods = new Set<HTTPMethod>();
  app.addHook("onRoute", ({ method, url }) => {
    for (const each of [method].flat() as HTTPMethod[]) {
      if (!router.hasRoute(each, url)) router.on(each, url, () => undefined);
      methods.add(each);
    }
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*$/s, "");
    const allowed = [...methods].filter((method) => router.find(method, path) !== null);
    const error = allowed.length > 0 ? methodNotAllowed(request.method, allowed) : notFound();
    sendReply(reply, visitOf(request, reply).failureReply(error));
  });
  app.setErrorHandler((error, request, reply) =>
    sendReply(reply, visitOf(request, reply).failureReply(translated(error))),
  );
  done();
};

/** Answers 404, 405 with `Allow`, and whatever is thrown, in one shape. Register it after `sluice`, before the routes. */
export const errors: FastifyPluginCallback = fastifyPlugin(plugin, { dependencies: ["@sluice/fastify"] });

/** What Fastify, its parsers and its plugins throw, in the terms of every adapter. */
function translated(error: unknown): unknown {
  const { code = "", statusCode = 500, message = code } = error as Partial<FastifyError>;
  if (!(error instanceof Error) || !code.startsWith("FST_") || statusCode >= 500) return error;
  if (code === "FST_ERR_CTP_INVALID_JSON_BODY" || code === "FST_ERR_CTP_EMPTY_JSON_BODY") return malformedJson(error);
  return statusCode === 413 ? bodyTooLarge(undefined, error) : statusError(statusCode, { message, cause: error });
}
