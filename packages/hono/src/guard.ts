import { adapterSettings, type AdapterOptions, type AdapterSettings } from "@sluice/http";
import type { GuardContext, HttpGuard, HttpHandler } from "@sluice/http";
import { FetchVisit, type FetchAdmission, type FetchMessages, type FetchPlace } from "@sluice/http/fetch";
import type { Context, Handler, MiddlewareHandler, Next } from "hono";
import type { GetConnInfo } from "hono/conninfo";
import { matchedRoutes } from "hono/route";

declare module "hono" {
  interface ContextVariableMap {
    /** What the guards before this handler have told. Undefined before the first one. */
    sluice: Readonly<Partial<GuardContext>> | undefined;
  }
  interface Context {
    [visited]?: FetchVisit;
  }
}

const visited: unique symbol = Symbol("sluice.visited");

/** What an application tells this adapter. */
export interface HonoOptions extends AdapterOptions {
  /** How the runtime tells the other end of a connection, as from `@hono/node-server/conninfo`. Default: it does not. */
  readonly connInfo?: GetConnInfo;
  /** Who has been authenticated, for guards of the stage `principal`. Default: nobody. */
  readonly principal?: (context: Context) => string | undefined;
}

/**
 * A guard as middleware. Mount guards of the stage `address` before authentication, those of the stage `principal`
 * after it. On `app.use` it stands before unknown routes, too.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function guard(httpGuard: HttpGuard, options: HonoOptions = {}): MiddlewareHandler {
  const settings = adapterSettings(options);
  return function sluiceGuard(c, next): Promise<void> {
    const admission = visitOf(c, settings).admit(httpGuard, placeOf(c, options, httpGuard.stage));
    if (admission instanceof Promise) return admission.then((known) => proceed(c, known, next));
    return proceed(c, admission, next);
  };
}

function proceed(c: Context, admission: FetchAdmission, next: Next): Promise<void> {
  const told = c[visited]?.context;
  if (told) c.set("sluice", told);
  return admission === true ? next() : respond(c, admission, next);
}

async function respond(c: Context, admission: Exclude<FetchAdmission, true>, next: Next): Promise<void> {
  const handled = async (): Promise<Context> => next().then(() => c);
  const response = typeof admission === "function" ? await admission(handled) : admission;
  if (c.finalized && c.res === response) return;
  // Otherwise Hono would merge the headers of the response before into this one.
  c.res = undefined;
  c.res = response;
}

/**
 * Mounts a handler that no framework owns. It reads the body as it came, whatever its content type.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function handle(handler: HttpHandler, options: HonoOptions = {}): Handler {
  const settings = adapterSettings(options);
  return async function sluiceHandler(c): Promise<Response> {
    const visit = visitOf(c, settings);
    return visit.respond(await handler(visit.requestAt(placeOf(c, options, "principal"))));
  };
}

/** The visit of a request. Where Node's server is underneath, its adapter for Hono tells so in `c.env`. */
export function visitOf(c: Context, settings: AdapterSettings): FetchVisit {
  return (c[visited] ??= new FetchVisit(c, c.env as FetchMessages | undefined, settings));
}

function placeOf(c: Context, { connInfo, principal }: HonoOptions, stage: HttpGuard["stage"]): FetchPlace {
  return {
    principal: stage === "principal" ? principal?.(c) : undefined,
    // Middleware is a route of all methods, most often with an open end.
    route: () => matchedRoutes(c).findLast(({ method, path }) => method !== "ALL" || !path.endsWith("*"))?.path,
    socketAddress: () => connInfo?.(c).remote.address,
  };
}
