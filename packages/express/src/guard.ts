import {
  adapterSettings,
  type AdapterOptions,
  type GuardContext,
  type HttpGuard,
  type HttpHandler,
} from "@sluice/http";
import { keepBody as keep, sendReply, Visit, type Admission, type VisitPlace } from "@sluice/http/node";
import type { Request, RequestHandler } from "express";

declare global {
  namespace Express {
    interface Request {
      /** What the guards before this handler have told. Undefined before the first one. */
      sluice?: Readonly<Partial<GuardContext>>;
    }
  }
}

/** What an application tells this adapter. */
export interface ExpressOptions extends AdapterOptions {
  /** Who has been authenticated, for guards of the stage `principal`. Default: nobody. */
  readonly principal?: (request: Request) => string | undefined;
}

/**
 * A guard as middleware. Mount guards of the stage `address` before authentication, those of the stage `principal`
 * after it, and both before what parses bodies. On `app.use` it stands before unknown routes, too.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function guard(httpGuard: HttpGuard, options: ExpressOptions = {}): RequestHandler {
  const settings = adapterSettings(options);
  const principal = httpGuard.stage === "principal" ? options.principal : undefined;
  return function sluiceGuard(request, response, next): void | Promise<void> {
    const visit = Visit.of({ request, response }, settings);
    const proceed = (admission: Admission): void => {
      request.sluice = visit.context;
      if (admission === true) next();
      else if (admission !== false) sendReply(response, admission);
    };
    const admission = visit.admit(httpGuard, placeOf(request, principal));
    return admission instanceof Promise ? admission.then(proceed) : proceed(admission);
  };
}

/**
 * Mounts a handler that no framework owns. It reads the body as it came, whatever its content type: before
 * `express.json()`, or after it with {@link keepBody}.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an option that is out of its range.
 */
export function handle(handler: HttpHandler, options: ExpressOptions = {}): RequestHandler {
  const settings = adapterSettings(options);
  return async function sluiceHandler(request, response): Promise<void> {
    const visit = Visit.of({ request, response }, settings);
    sendReply(response, await handler(visit.requestAt(placeOf(request, options.principal))));
  };
}

/** For `express.json({ verify: keepBody })` and its like: keeps the bytes for handlers that read the body as it came. */
export function keepBody(request: Pick<Request, "headers">, _response: unknown, bytes: Uint8Array): void {
  keep(request as Request, bytes);
}

function placeOf(request: Request, principal: ExpressOptions["principal"]): VisitPlace {
  const path: unknown = request.route?.path;
  const route = typeof path === "string" ? request.baseUrl + path : undefined;
  return { principal: principal?.(request), route: () => route };
}
