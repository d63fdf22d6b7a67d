import {
  bodyTooLarge,
  BodyTooLargeError,
  HttpError,
  httpErrorOf,
  internalError,
  isHttpError,
  malformedJson,
  methodNotAllowed,
  notFound,
  statusError,
  unsupportedMediaType,
  type HttpErrorInit,
} from "@sluice/http";
import { describe, expect, it } from "vitest";

const secret = "password=hunter2";

describe("the kinds of errors", () => {
  it.each([
    [notFound(), 404, "NOT_FOUND"],
    [methodNotAllowed("PUT", ["GET"]), 405, "METHOD_NOT_ALLOWED"],
    [bodyTooLarge(1024), 413, "BODY_TOO_LARGE"],
    [unsupportedMediaType(), 415, "UNSUPPORTED_MEDIA_TYPE"],
    [malformedJson(), 400, "MALFORMED_JSON"],
    [internalError(), 500, "INTERNAL_ERROR"],
    [statusError(414), 414, "URI_TOO_LONG"],
    [statusError(499), 499, "CLIENT_ERROR"],
    [statusError(599), 599, "SERVER_ERROR"],
    [statusError(431, { code: "HEADERS_TOO_LARGE" }), 431, "HEADERS_TOO_LARGE"],
    [new BodyTooLargeError(1024), 413, "BODY_TOO_LARGE"],
  ])("are %s: %d %s", (error, status, code) => {
    expect(httpErrorOf(error)).toMatchObject({ status, code });
  });

  it("name each allowed method once, in order", () => {
    const { headers, message } = methodNotAllowed("PUT", ["POST", "GET", "HEAD", "GET"]);
    expect([headers["allow"], message]).toEqual(["GET, HEAD, POST", "PUT is not allowed here, only GET, HEAD, POST"]);
  });

  it("keep what http-errors meant for clients, and nothing else", () => {
    const exposed = Object.assign(new Error("Only its owner may"), {
      statusCode: 403,
      expose: true,
      headers: { "Retry-After": "3", "x-object": {} },
    });
    expect(httpErrorOf(exposed)).toMatchObject({
      status: 403,
      code: "FORBIDDEN",
      message: "Only its owner may",
      headers: { "retry-after": "3" },
      cause: exposed,
    });
    const hidden = Object.assign(new Error(secret), { statusCode: 503, expose: false });
    expect(httpErrorOf(hidden)).toMatchObject({ status: 503, message: "Service Unavailable" });
    const odd = Object.assign(new Error(secret), { statusCode: 200, expose: true });
    expect(httpErrorOf(odd).status).toBe(500);
  });

  it("are known from another installed copy of the package", () => {
    const error = new HttpError({ status: 404, code: "NOT_FOUND" });
    const copy = Object.defineProperty(new Error("x"), Symbol.for("sluice.http-error"), { value: true });
    expect([isHttpError(error), isHttpError(copy), isHttpError(new Error("x")), isHttpError(null)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  const refused: [argument: string, init: HttpErrorInit][] = [
    ["status", { status: 200, code: "OK" }],
    ["status", { status: 600, code: "X" }],
    ["status", { status: Number.NaN, code: "X" }],
    ["detail.status", { status: 409, code: "X", detail: { status: 302 } }],
    ["code", { status: 409, code: "out-of-stock" }],
    ["code", { status: 409, code: "" }],
    ["code", { status: 409, code: "X".repeat(65) }],
  ];
  it.each(refused)("refuse a bad %s", (argument, init) => {
    expect(() => new HttpError(init)).toThrow(
      expect.objectContaining({ code: "ERR_SLUICE_INVALID_ARGUMENT", argument }),
    );
  });
});
