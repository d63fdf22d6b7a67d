import { describe, expect, it } from "vitest";

import { bodyLimit } from "../src/http/server.ts";
import { captureLog, createProbe } from "./support/test-server.ts";

const json = { "content-type": "application/json" };

describe("errors", () => {
  it.each([
    [
      "a body that is no JSON",
      { method: "POST", url: "/echo", headers: json, payload: "{bad" },
      [400, "MALFORMED_JSON"],
    ],
    ["an empty body", { method: "POST", url: "/echo", headers: json, payload: "" }, [400, "MALFORMED_JSON"]],
    [
      "a body that reaches for the prototype",
      { method: "POST", url: "/echo", headers: json, payload: '{"__proto__":1}' },
      [400, "MALFORMED_JSON"],
    ],
    [
      "a body of the wrong form",
      { method: "POST", url: "/echo", headers: json, payload: '{"quantity":"2"}' },
      [400, "VALIDATION_FAILED"],
    ],
    [
      "a body that is not JSON by type",
      { method: "POST", url: "/echo", headers: { "content-type": "text/xml" }, payload: "<a/>" },
      [415, "UNSUPPORTED_MEDIA_TYPE"],
    ],
    [
      "a body that is too large",
      { method: "POST", url: "/echo", headers: json, payload: " ".repeat(bodyLimit + 1) },
      [413, "BODY_TOO_LARGE"],
    ],
    ["an unknown route", { method: "GET", url: "/nope" }, [404, "NOT_FOUND"]],
    [
      "an unknown route with a broken body",
      { method: "POST", url: "/nope", headers: json, payload: "{bad" },
      [404, "NOT_FOUND"],
    ],
    ["another method", { method: "DELETE", url: "/echo" }, [405, "METHOD_NOT_ALLOWED"]],
    ["broken escapes in the path", { method: "GET", url: "/items/%E0%A4%A" }, [400, "MALFORMED_URL"]],
    ["a path that is too long", { method: "GET", url: `/items/${"a".repeat(300)}` }, [414, "URL_TOO_LONG"]],
    ["a bug", { method: "GET", url: "/throw" }, [500, "INTERNAL_ERROR"]],
    ["a handler that hangs", { method: "GET", url: "/hang" }, [504, "REQUEST_TIMEOUT"]],
  ] as const)("answers %s in one shape", async (_title, request, [status, code]) => {
    // Short for the handler that hangs; a busy machine must answer the others within it.
    await using server = await createProbe({ requestTimeoutMs: request.url === "/hang" ? 150 : 10_000 });
    const reply = await server.inject(request);
    expect(reply.statusCode).toBe(status);
    expect(reply.json()).toEqual({
      ok: false,
      error: expect.objectContaining({ code, message: expect.any(String) }),
      trace_id: reply.headers["x-request-id"],
    });
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(reply.headers["cache-control"]).toBe("no-store");
  });

  it.each([
    ["a route that is not there", { method: "GET", url: "/nope" }, [404, "NOT_FOUND"]],
    ["another method", { method: "DELETE", url: "/echo" }, [405, "METHOD_NOT_ALLOWED"]],
    ["broken JSON", { method: "POST", url: "/echo", headers: json, payload: "{" }, [400, "MALFORMED_JSON"]],
    ["a bug", { method: "GET", url: "/throw" }, [500, "INTERNAL_ERROR"]],
  ] as const)("answers %s as RFC 9457 has it to who asks for that", async (_title, request, [status, code]) => {
    await using server = await createProbe({ corsOrigins: ["https://shop.example"] });
    const reply = await server.inject({
      ...request,
      headers: { ...("headers" in request ? request.headers : {}), accept: "application/problem+json" },
    });
    expect(reply.statusCode).toBe(status);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    expect(reply.headers["vary"]).toBe("Origin, accept");
    expect(reply.json()).toMatchObject({ type: "about:blank", status, code, trace_id: reply.headers["x-request-id"] });
  });

  it("answers with a detail alone where it is told to", async () => {
    await using server = await createProbe({ errorProfile: "detail" });
    const reply = await server.inject({ url: "/nope" });
    expect([reply.statusCode, reply.json()]).toEqual([
      404,
      { detail: "No such route", code: "NOT_FOUND", trace_id: reply.headers["x-request-id"] },
    ]);
  });

  it("names the field that is wrong", async () => {
    await using server = await createProbe();
    const reply = await server.inject({ method: "POST", url: "/echo", headers: json, payload: '{"quantity":1.5}' });
    expect(reply.json().error.fields).toEqual([{ path: "body.quantity", message: expect.any(String) }]);
  });

  it("says which methods a route has", async () => {
    await using server = await createProbe();
    for (const method of ["DELETE", "PUT"] as const) {
      expect((await server.inject({ method, url: "/echo" })).headers["allow"]).toBe("OPTIONS, POST");
    }
    const options = await server.inject({ method: "OPTIONS", url: "/items/1" });
    expect([options.statusCode, options.headers["allow"]]).toEqual([204, "GET, HEAD, OPTIONS"]);
  });

  it("tells the log, and not the client, what a bug was", async () => {
    const log = captureLog();
    await using server = await createProbe({ logTo: log.stream });
    const reply = await server.inject({ url: "/throw" });
    expect(reply.body).not.toContain("hunter2");
    expect(log.lines[0]).toMatchObject({
      level: "error",
      error_code: "INTERNAL_ERROR",
      request_id: reply.json().trace_id,
    });
  });
});

describe("the request id", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = `00-${trace}-b7ad6b7169203331-01`;

  it.each([
    ["the client's own", { "x-request-id": "order-42.a_B" }, "order-42.a_B"],
    ["the client's own before its trace", { "x-request-id": "mine", traceparent: parent }, "mine"],
    ["the trace's", { traceparent: parent }, trace],
    ["the trace's when the client's own is not safe", { "x-request-id": "a b", traceparent: parent }, trace],
  ] as const)("is %s", async (_title, headers, expected) => {
    await using server = await createProbe();
    const reply = await server.inject({ url: "/nope", headers });
    expect([reply.headers["x-request-id"], reply.json().trace_id]).toEqual([expected, expected]);
  });

  it.each([
    ["has blanks", { "x-request-id": "a b" }],
    ["is too long", { "x-request-id": "a".repeat(129) }],
    ["would end a line", { "x-request-id": "a%0d%0aset-cookie:x" }],
    ["comes with an empty trace", { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }],
    ["comes with a forbidden version", { traceparent: parent.replace(/^00/, "ff") }],
  ])("is new when the client's %s", async (_title, headers) => {
    await using server = await createProbe();
    const reply = await server.inject({ url: "/nope", headers });
    expect(reply.headers["x-request-id"]).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });
});

describe("CORS", () => {
  it("is answered to the configured origins alone", async () => {
    await using server = await createProbe({ corsOrigins: ["https://shop.example"] });
    const from = async (origin: string) => (await server.inject({ url: "/items/1", headers: { origin } })).headers;
    expect((await from("https://shop.example"))["access-control-allow-origin"]).toBe("https://shop.example");
    expect((await from("https://evil.example"))["access-control-allow-origin"]).toBeUndefined();
  });

  it("is off without origins", async () => {
    await using server = await createProbe();
    const reply = await server.inject({ url: "/items/1", headers: { origin: "https://shop.example" } });
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});
