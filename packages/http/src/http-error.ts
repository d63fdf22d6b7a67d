/** What an {@link HttpError} is made of. */
export interface HttpErrorInit {
  /** From 400 to 599. */
  readonly status: number;
  /** Stable, in capitals, as in `OUT_OF_STOCK`: clients compare it. */
  readonly code: string;
  /** For people. Without one, `error` has no `message`, and the other shapes show the status' phrase. */
  readonly message?: string;
  /** By lower-case name, as in `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stand beside `code` and `message` in the body. They cannot replace those. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** A URI of RFC 9457 for the member `type` of the profile `problem`. Default `about:blank`. */
  readonly type?: string;
  /** How the profile `detail` says it, where that differs. */
  readonly detail?: { readonly status?: number; readonly message?: string };
  /** Logged, and never shown. */
  readonly cause?: unknown;
}

/** An answer that is an error: thrown anywhere under a handler, rendered in one place by {@link errorReply}. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  /** From 400 to 599. */
  readonly status: number;
  /** Stable, in capitals: clients compare it. */
  readonly code: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Stand beside `code` in the body. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Whatever it was made of. */
  readonly init: HttpErrorInit;

  constructor(init: HttpErrorInit) {
    super(init.message ?? init.code, "cause" in init ? { cause: init.cause } : {});
    this.status = init.status;
    this.code = init.code;
    this.headers = init.headers ?? {};
    this.details = init.details ?? {};
    this.init = init;
  }
}

/** No route, or no row. 404 `NOT_FOUND`. */
export function notFound(what = "Route"): HttpError {
  return new HttpError({ status: 404, code: "NOT_FOUND", message: `${what} not found` });
}

/**
 * The path has other methods. 405 `METHOD_NOT_ALLOWED` with `Allow`.
 *
 * @param allowed - The methods that the path has, in capitals. They are sorted and named once.
 */
export function methodNotAllowed(method: string, allowed: readonly string[]): HttpError {
  const allow = [...new Set(allowed)].toSorted().join(", ");
  const message = `${method} is not allowed here, only ${allow}`;
  return new HttpError({ status: 405, code: "METHOD_NOT_ALLOWED", message, headers: { allow } });
}

/** 413 `BODY_TOO_LARGE`. */
export function bodyTooLarge(maxBytes: number, cause?: unknown): HttpError {
  const message = `The body is larger than ${maxBytes} bytes`;
  return new HttpError({ status: 413, code: "BODY_TOO_LARGE", message, cause });
}

/** 415 `UNSUPPORTED_MEDIA_TYPE`. */
export function unsupportedMediaType(expected: string, cause?: unknown): HttpError {
  const message = `The body must be ${expected}`;
  return new HttpError({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE", message, cause });
}

/** 400 `MALFORMED_JSON`. */
export function malformedJson(cause?: unknown): HttpError {
  return new HttpError({ status: 400, code: "MALFORMED_JSON", message: "The body is not valid JSON", cause });
}

/** 500 `INTERNAL_ERROR`, which says nothing about its cause. */
export function internalError(cause?: unknown): HttpError {
  const message = "Something went wrong on our side";
  return new HttpError({ status: 500, code: "INTERNAL_ERROR", message, cause });
}
