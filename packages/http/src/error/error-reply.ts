import { namedWeight } from "../fields/accept.ts";
import type { HttpReply, ReplyHeaders } from "../reply.ts";
import type { HttpRequest } from "../request.ts";
import { httpErrorOf } from "./error-kinds.ts";
import type { HttpError } from "./http-error.ts";
import { statusPhrase } from "./status-phrase.ts";

/**
 * How an error looks in JSON:
 *
 * - `sluice`: `{"ok":false,"error":{"code":…,"message":…},"trace_id":…}`
 * - `problem`: {@link https://www.rfc-editor.org/rfc/rfc9457 | RFC 9457}, with `code` and `trace_id`
 * - `detail`: `{"detail":…,"code":…,"trace_id":…}`
 */
export type ErrorProfile = "sluice" | "problem" | "detail";

/** How {@link errorReply} renders. */
export interface ErrorReplyOptions {
  /** Default `sluice`. */
  readonly profile?: ErrorProfile;
  /**
   * Whether clients that name `application/problem+json` in `Accept`, and not after `application/json`, get the profile
   * `problem`. Default true.
   */
  readonly negotiate?: boolean;
}

/** What the reply to an error needs to know of its request. */
export type ErrorRequest = Pick<HttpRequest, "method" | "id" | "header">;

/**
 * The reply that tells a client of an error: the same code and the same trace id in every shape, never cached, without
 * a body for HEAD. Of what {@link httpErrorOf} does not know, it says nothing. Never throws; details that cannot be
 * written as JSON are left out.
 *
 * @example
 * ```ts
 * import { errorReply, notFound } from "@sluice/http";
 *
 * const request = { method: "GET", id: "req-1", header: () => undefined };
 * const { status, body } = errorReply(notFound("Product"), request);
 * status; // => 404
 * body; // => '{"ok":false,"error":{"code":"NOT_FOUND","message":"Product not found"},"trace_id":"req-1"}'
 * ```
 */
export function errorReply(error: unknown, request: ErrorRequest, options: ErrorReplyOptions = {}): HttpReply {
  const { profile = "sluice", negotiate = true } = options;
  const known = httpErrorOf(error);
  const shape = shapes[negotiate && prefersProblem(request) ? "problem" : profile];
  return {
    status: shape.status(known),
    headers: {
      "cache-control": "no-store",
      ...known.headers,
      ...(negotiate ? { vary: withAccept(known.headers["vary"]) } : {}),
      "content-type": shape.type,
      "x-request-id": request.id,
    },
    body: request.method === "HEAD" ? undefined : bodyText(shape, known, request.id),
  };
}

interface Shape {
  readonly type: string;
  status(error: HttpError): number;
  body(error: HttpError, traceId: string, details: object): object;
}

const json = "application/json; charset=utf-8";

const shapes: Readonly<Record<ErrorProfile, Shape>> = {
  sluice: {
    type: json,
    status: ({ status }) => status,
    body: ({ code, init: { message } }, traceId, details) => ({
      ok: false,
      error: beside({ code, message }, details),
      trace_id: traceId,
    }),
  },
  problem: {
    type: "application/problem+json",
    status: ({ status }) => status,
    body: ({ status, code, init: { message, problem } }, traceId, details) => {
      const { type = "about:blank", title = statusPhrase(status) } = problem ?? {};
      return beside({ type, title, status, detail: message, code, trace_id: traceId }, details);
    },
  },
  detail: {
    type: json,
    status: ({ status, init }) => init.detail?.status ?? status,
    body: ({ status, code, init: { message, detail } }, traceId, details) =>
      beside({ detail: detail?.message ?? message ?? statusPhrase(status), code, trace_id: traceId }, details),
  },
};

/** The members first and in their order, whatever the details are. Undefined ones are not written. */
function beside(members: object, details: object): object {
  return Object.assign({}, members, details, members);
}

function bodyText(shape: Shape, error: HttpError, traceId: string): string {
  try {
    return JSON.stringify(shape.body(error, traceId, error.details));
  } catch {
    return JSON.stringify(shape.body(error, traceId, {}));
  }
}

function prefersProblem(request: ErrorRequest): boolean {
  const accept = request.header("accept");
  if (accept === undefined) return false;
  const weight = namedWeight(accept, "application/problem+json") ?? 0;
  return weight > 0 && weight >= (namedWeight(accept, "application/json") ?? 0);
}

function withAccept(vary: ReplyHeaders[string] | undefined): string {
  return vary === undefined ? "accept" : [vary, "accept"].flat().join(", ");
}
