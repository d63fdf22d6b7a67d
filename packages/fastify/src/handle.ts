import type { HttpHandler } from "@sluice/http";
import type { FastifyPluginCallback, RouteOptions } from "fastify";

import { sendReply } from "./guard.ts";
import { installed, visitOf } from "./plugin.ts";

/** A route of Fastify that a handler answers which no framework owns. */
export interface NeutralRoute extends Omit<RouteOptions, "handler"> {
  readonly handler: HttpHandler;
}

/**
 * Mounts a handler that no framework owns: `app.register(handle({ method: "POST", url: "/payments", handler }))`. It
 * reads the body as it came, whatever its content type: the route has a scope of its own, in which no parser runs.
 * Needs the plugin `sluice`, which has the options.
 */
export function handle({ handler, ...route }: NeutralRoute): FastifyPluginCallback {
  return function sluiceHandler(scope, _options, done): void {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
    scope.route({
      ...route,
      async handler(request, reply) {
        const principal = request.server[installed].principal?.(request);
        const place = { principal, route: request.routeOptions.url };
        await visitOf(request, reply).handle(handler, { ...place, send: (answer) => sendReply(reply, answer) });
        return reply;
      },
    });
    done();
  };
}
