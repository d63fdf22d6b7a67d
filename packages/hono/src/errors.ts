import {
  adapterSettings,
  bodyTooLarge,
  malformedJson,
  methodNotAllowed,
  notFound,
  statusError,
  unsupportedMediaType,
} from "@sluice/http";
import type { Context, Env, Hono } from "hono";
import { HTTPException } from "hono/http-exception";

import { visitOf, type HonoOptions } from "./guard.ts";

/**
 * Makes an application answer 404, 405 with `Allow`, and whatever is thrown, in one shape.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function errors<E extends Env>(app: Hono<E>, options: HonoOptions = {}): void {
  const settings = adapterSettings(options);
  const failure = (c: Context, error: unknown): Response => visitOf(c, settings).failureResponse(error);
  app.onError(async (error, c) => failure(c, await translated(error, c)));
  app.notFound((c) => {
    const allowed = allowedMethods(app, c.req.path);
    return failure(c, allowed.length > 0 ? methodNotAllowed(c.req.method, allowed) : notFound());
  });
}

/** The methods that the routes of a path have. Middleware is a route of all methods. O(methods) lookups. */
function allowedMethods<E extends Env>({ router, routes }: Hono<E>, path: string): string[] {
  const methods = [...new Set(routes.map(({ method }) => method))].filter((method) => method !== "ALL");
  const allowed = methods.filter((method) =>
    router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  return allowed.includes("GET") ? [...allowed, "HEAD"] : allowed;
}

/** What Hono and its helpers throw, in the terms of every adapter. */
async function translated(error: unknown, c: Context): Promise<unknown> {
  if (error instanceof SyntaxError && (await isMalformed(c))) return malformedJson(error);
  if (!(error instanceof HTTPException)) return error;
  const { status, message, res } = error;
  if (status === 413) return bodyTooLarge(undefined, error);
  if (status === 415) return unsupportedMediaType(undefined, error);
  const { "content-type": _type, "content-length": _length, ...headers } = Object.fromEntries(res?.headers ?? []);
  return statusError(status, { headers, cause: error, ...(message ? { message } : {}) });
}

/** Whether a handler has read a body as JSON that is none. Any other error of syntax is the handler's own. */
async function isMalformed({ req }: Context): Promise<boolean> {
  if (!("text" in req.bodyCache)) return false;
  return req.json().then(
    () => false,
    () => true,
  );
}
