import { hasCode } from "@sluice/core";

import { HttpError, isHttpError, type HttpErrorInit } from "./http-error.ts";
import { statusPhrase } from "./status-phrase.ts";

/** No route, or no row. 404 `NOT_FOUND`. */
export function notFound(what = "Route"): HttpError {
  return new HttpError({ status: 404, code: "NOT_FOUND", message: `${what} not found` });
}

/**
 * The path has other methods. 405 `METHOD_NOT_ALLOWED` with `Allow`.
 *
 * @param allowed - The methods that the path has, in capitals. `Allow` has each once, sorted.
 */
export function methodNotAllowed(method: string, allowed: readonly string[]): HttpError {
  const allow = [...new Set(allowed)].toSorted().join(", ");
  const message = `${method} is not allowed here, only ${allow}`;
  return new HttpError({ status: 405, code: "METHOD_NOT_ALLOWED", message, headers: { allow } });
}

/** 413 `BODY_TOO_LARGE`. */
export function bodyTooLarge(maxBytes?: number, cause?: unknown): HttpError {
  const message = maxBytes === undefined ? "The body is too large" : `The body is larger than ${maxBytes} bytes`;
  return new HttpError({ status: 413, code: "BODY_TOO_LARGE", message, cause });
}

/** 415 `UNSUPPORTED_MEDIA_TYPE`. */
export function unsupportedMediaType(expected = "application/json", cause?: unknown): HttpError {
  return new HttpError({
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: `The body must be ${expected}`,
    cause,
  });
}

/** 400 `MALFORMED_JSON`. */
export function malformedJson(cause?: unknown): HttpError {
  return new HttpError({ status: 400, code: "MALFORMED_JSON", message: "The body is not valid JSON", cause });
}

/** 500 `INTERNAL_ERROR`, which says nothing of its cause. */
export function internalError(cause?: unknown): HttpError {
  const message = "Something went wrong on our side";
  return new HttpError({ status: 500, code: "INTERNAL_ERROR", message, cause });
}

/**
 * Any other status as an error. Its code is the phrase of the status in capitals, as in `CONTENT_TOO_LARGE`, and its
 * message the phrase, unless `more` says otherwise.
 */
export function statusError(status: number, more: Partial<Omit<HttpErrorInit, "status">> = {}): HttpError {
  const message = statusPhrase(status);
  return new HttpError({ status, code: message.toUpperCase().replaceAll(/[^A-Z]+/g, "_"), message, ...more });
}

/**
 * What an error is to the client. An {@link HttpError} is itself, a body above a limit is a 413, and errors made by the
 * package `http-errors` keep their status and headers, and their message where they `expose` it. Everything else is a
 * 500 that says nothing of its cause: a status on any other error may well be that of somebody else's reply.
 */
export function httpErrorOf(error: unknown): HttpError {
  if (isHttpError(error)) return error;
  if (hasCode(error, "ERR_SLUICE_HTTP_BODY_TOO_LARGE")) return bodyTooLarge(undefined, error);
  return isExposable(error) ? exposed(error) : internalError(error);
}

interface Exposable extends Error {
  readonly expose: boolean;
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, unknown>>;
}

function isExposable(error: unknown): error is Exposable {
  if (!(error instanceof Error) || !("expose" in error) || typeof error.expose !== "boolean") return false;
  const status = "statusCode" in error ? Number(error.statusCode) : Number.NaN;
  return Number.isSafeInteger(status) && status >= 400 && status <= 599 && status !== 500;
}

function exposed(error: Exposable): HttpError {
  const headers = Object.entries(error.headers ?? {}).filter(([, value]) => typeof value === "string");
  return statusError(error.statusCode, {
    ...(error.expose ? { message: error.message } : {}),
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
    cause: error,
  });
}
