import { adapterSettings, bodyTooLarge, malformedJson, methodNotAllowed, notFound, statusError } from "@sluice/http";
import { sendReply, Visit } from "@sluice/http/node";
import type { ErrorRequestHandler, RequestHandler } from "express";

import { allowedMethods } from "./allowed-methods.ts";
import type { ExpressOptions } from "./guard.ts";

/**
 * What answers after all routes: 404, 405 with `Allow`, and whatever was thrown, in one shape. Mount it last, on the
 * application itself: `app.use(errors())`. It also tells guards that their handler threw.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function errors(options: ExpressOptions = {}): [RequestHandler, ErrorRequestHandler] {
  const settings = adapterSettings(options);
  return [
    function sluiceNotFound(request, response, next): void {
      const allowed = allowedMethods(request.app, request.baseUrl + request.path);
      // Express answers it with these methods.
      if (request.method === "OPTIONS" && allowed.length > 0) return next();
      const error = allowed.length > 0 ? methodNotAllowed(request.method, allowed) : notFound();
      sendReply(response, Visit.of({ request, response }, settings).failureReply(error));
    },
    function sluiceError(error: unknown, request, response, next): void {
      const visit = Visit.of({ request, response }, settings);
      visit.fail(error);
      // Too late for a reply: Express closes the connection.
      if (response.headersSent) next(error);
      else sendReply(response, visit.failureReply(translated(error)));
    },
  ];
}

/** What Express and its parsers throw, in the terms of every adapter. */
function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, limit } = error as { readonly type?: unknown; readonly limit?: number };
  if (type === "entity.too.large") return bodyTooLarge(limit, error);
  if (type === "entity.parse.failed") return malformedJson(error);
  return error instanceof URIError && "status" in error ? statusError(400, { cause: error }) : error;
}
