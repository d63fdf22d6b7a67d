import {
  errorReply,
  HttpError,
  httpErrorOf,
  internalError,
  notFound,
  type ErrorProfile,
  type ErrorReplyOptions,
} from "@sluice/http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hostileText } from "./support/hostile.ts";
import { makeRequest } from "./support/request.ts";
import { seeded } from "./support/seed.ts";

const profiles: readonly ErrorProfile[] = ["sluice", "problem", "detail"];
const secret = "password=hunter2";

function render(error: unknown, options: ErrorReplyOptions = {}, headers: Readonly<Record<string, string>> = {}) {
  const reply = errorReply(error, makeRequest({ headers }), options);
  return { ...reply, json: JSON.parse(String(reply.body)) as unknown };
}

const limited = new HttpError({
  status: 429,
  code: "RATE_LIMITED",
  headers: { "retry-after": "12" },
  details: { retry_after_seconds: 12 },
  problem: { type: "https://iana.org/assignments/http-problem-types#quota-exceeded", title: "Quota exceeded" },
});
const soldOut = new HttpError({
  status: 409,
  code: "OUT_OF_STOCK",
  message: "Only 2 left",
  detail: { status: 400, message: "Out of stock!" },
});

describe("an error", () => {
  it("is the seeds' shape by default, to the letter", () => {
    const reply = render(limited);
    expect(reply.body).toBe('{"ok":false,"error":{"code":"RATE_LIMITED","retry_after_seconds":12},"trace_id":"req-1"}');
    expect([reply.status, reply.headers["retry-after"]]).toEqual([429, "12"]);
    expect(render(soldOut).json).toEqual({
      ok: false,
      error: { code: "OUT_OF_STOCK", message: "Only 2 left" },
      trace_id: "req-1",
    });
  });

  it("is a problem of RFC 9457, with the phrase of its status where it has no type", () => {
    expect(render(limited, { profile: "problem" })).toMatchObject({
      headers: { "content-type": "application/problem+json" },
      json: {
        type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
        title: "Quota exceeded",
        status: 429,
        code: "RATE_LIMITED",
        retry_after_seconds: 12,
        trace_id: "req-1",
      },
    });
    expect(render(notFound("Product"), { profile: "problem" }).json).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: "Product not found",
      code: "NOT_FOUND",
      trace_id: "req-1",
    });
  });

  it("is a detail, with a status and a text of its own where it has them", () => {
    const reply = render(soldOut, { profile: "detail" });
    expect([reply.status, reply.json]).toEqual([
      400,
      { detail: "Out of stock!", code: "OUT_OF_STOCK", trace_id: "req-1" },
    ]);
    expect(render(limited, { profile: "detail" }).json).toMatchObject({ detail: "Too Many Requests" });
  });

  it.each(profiles)("has the same code and trace id as %s", (profile) => {
    for (const error of [limited, soldOut, notFound(), new Error(secret)]) {
      const text = String(render(error, { profile }).body);
      expect(text).toContain(`"code":"${httpErrorOf(error).code}"`);
      expect(text).toContain('"trace_id":"req-1"');
    }
  });

  it.each(profiles)("has no body for HEAD, and the same head, as %s", (profile) => {
    const head = errorReply(soldOut, makeRequest({ method: "HEAD" }), { profile });
    const { body: _body, json: _json, ...rest } = render(soldOut, { profile });
    expect(head).toEqual({ ...rest, body: undefined });
  });

  it("is not cached, unless it says so, and names the request", () => {
    expect(render(notFound()).headers).toMatchObject({ "cache-control": "no-store", "x-request-id": "req-1" });
    const cached = new HttpError({ status: 410, code: "GONE", headers: { "cache-control": "max-age=60" } });
    expect(render(cached).headers).toMatchObject({ "cache-control": "max-age=60" });
  });

  it.each([
    [undefined, "sluice"],
    ["*/*", "sluice"],
    ["application/*", "sluice"],
    ["application/json", "sluice"],
    ["application/problem+json", "problem"],
    ["application/json, application/problem+json", "problem"],
    ["Application/Problem+JSON;q=0.9, text/html", "problem"],
    ["application/problem+json;q=0.1, application/json;q=0.5", "sluice"],
    ["application/problem+json;q=0", "sluice"],
    ["application/problem+json;q=high", "sluice"],
    [`${"text/plain,".repeat(40)}application/problem+json`, "sluice"],
  ])("to a client that accepts %j is %s", (accept, expected) => {
    const headers = accept === undefined ? {} : { accept };
    const type = expected === "problem" ? "application/problem+json" : "application/json; charset=utf-8";
    expect(render(limited, {}, headers).headers).toMatchObject({ "content-type": type, vary: "accept" });
    expect(render(limited, { profile: "detail" }, headers).headers["content-type"]).toBe(type);
  });

  it("is not negotiated where that is off", () => {
    const { headers } = render(limited, { negotiate: false }, { accept: "application/problem+json" });
    expect([headers["content-type"], headers["vary"]]).toEqual(["application/json; charset=utf-8", undefined]);
  });

  it("varies by what it says itself, and by Accept", () => {
    const error = new HttpError({ status: 404, code: "NOT_FOUND", headers: { vary: "origin" } });
    expect(render(error).headers["vary"]).toBe("origin, accept");
  });

  it.each(profiles)("cannot replace what every error has, by its details, as %s", (profile) => {
    const details = { code: "X", message: "x", ok: true, status: 1, trace_id: "x", type: "x", detail: "x", more: 1 };
    const error = new HttpError({ status: 409, code: "CONFLICT", message: "No", details });
    const json = render(error, { profile }).json as { error?: object; type?: string; detail?: string };
    expect({ ...json.error, ...json }).toMatchObject({ code: "CONFLICT", trace_id: "req-1", more: 1 });
    const types = { sluice: undefined, problem: "about:blank", detail: "x" };
    expect([json.type, json.detail]).toEqual([types[profile], profile === "sluice" ? undefined : "No"]);
  });

  it.each([
    ["a bigint", { count: 1n }],
    ["a cycle", cyclic()],
    [
      "a toJSON that throws",
      {
        toJSON() {
          throw new Error(secret);
        },
      },
    ],
  ])("is sent without details that are no JSON: %s", (_title, details) => {
    const error = new HttpError({ status: 409, code: "CONFLICT", message: "No", details: { details } });
    expect(render(error).json).toEqual({ ok: false, error: { code: "CONFLICT", message: "No" }, trace_id: "req-1" });
  });

  it.each([
    ["an error", new Error(secret)],
    ["an error with a status", Object.assign(new Error(secret), { status: 404, statusCode: 404 })],
    ["an error with headers", Object.assign(new Error(secret), { headers: { "x-secret": secret } })],
    ["an error with details", Object.assign(new Error(secret), { details: { secret } })],
    ["an internal error", internalError(new Error(secret))],
    ["a string", secret],
    ["nothing", undefined],
    ["null", null],
    ["an object", { message: secret, status: 404, expose: true }],
  ])("that is not meant for clients is a 500 that says nothing of it: %s", (_title, error) => {
    for (const profile of profiles) {
      const reply = render(error, { profile });
      expect(reply.status).toBe(500);
      expect(JSON.stringify(reply)).not.toContain("hunter2");
    }
  });

  it("is one JSON text, whatever its texts are", () => {
    fc.assert(
      fc.property(hostileText, fc.dictionary(fc.string(), fc.jsonValue()), (message, details) => {
        for (const profile of profiles) {
          const error = new HttpError({ status: 409, code: "CONFLICT", message, details });
          expect(JSON.stringify(render(error, { profile }).json)).toContain('"CONFLICT"');
        }
      }),
      seeded(300),
    );
  });
});

function cyclic(): object {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  return cycle;
}
