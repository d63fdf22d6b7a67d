import { HttpError, httpEvents, type ErrorProfile, type HttpEvent } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { header, json, request, text, type ClientRequest } from "../client/request.ts";
import { boom, echo, fails, hello, native } from "./handlers.ts";

const asJson = { "content-type": "application/json" };

const soldOut = native("GET", "/sold", () => {
  const details = { left: 0 };
  const headers = { "retry-after": "9" };
  throw new HttpError({
    status: 409,
    code: "OUT_OF_STOCK",
    message: "Out of stock!",
    headers,
    details,
    detail: { status: 400 },
  });
});

interface Situation {
  readonly name: string;
  readonly request: ClientRequest;
  readonly status: number;
  readonly code: string;
  /** Where the profile `detail` has another. */
  readonly detailStatus?: number;
}

const situations: readonly Situation[] = [
  { name: "a handler that throws", request: { path: "/fails" }, status: 500, code: "INTERNAL_ERROR" },
  { name: "a handler that refuses", request: { path: "/sold" }, status: 409, code: "OUT_OF_STOCK", detailStatus: 400 },
  { name: "an unknown route", request: { path: "/unknown" }, status: 404, code: "NOT_FOUND" },
  {
    name: "a method that the path has not",
    request: { method: "DELETE", path: "/echo" },
    status: 405,
    code: "METHOD_NOT_ALLOWED",
  },
  {
    name: "a body that is too large",
    request: { method: "POST", path: "/echo", headers: asJson, body: JSON.stringify("a".repeat(2000)) },
    status: 413,
    code: "BODY_TOO_LARGE",
  },
  {
    name: "a body of another type",
    request: { method: "POST", path: "/echo", headers: { "content-type": "text/csv" }, body: "a,b" },
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "malformed JSON",
    request: { method: "POST", path: "/echo", headers: asJson, body: '{"a":' },
    status: 400,
    code: "MALFORMED_JSON",
  },
];

const shapes: Readonly<Record<ErrorProfile, { readonly type: string; body(code: string, status: number): object }>> = {
  sluice: { type: "application/json; charset=utf-8", body: (code) => ({ ok: false, error: { code } }) },
  problem: { type: "application/problem+json", body: (code, status) => ({ type: "about:blank", status, code }) },
  detail: { type: "application/json; charset=utf-8", body: (code) => ({ detail: expect.any(String), code }) },
};

function rendered(profile: ErrorProfile, situation: Situation): ContractCase {
  return {
    title: `answers ${situation.name} in the shape ${profile}`,
    async check({ listen }) {
      const port = await listen({ routes: [hello, echo, fails, soldOut], options: { profile } });
      const response = await request(port, situation.request);
      const { type, body } = shapes[profile];
      const status = profile === "detail" ? (situation.detailStatus ?? situation.status) : situation.status;
      expect([response.status, header(response, "content-type")]).toEqual([status, type]);
      expect(json(response)).toMatchObject({
        ...body(situation.code, status),
        trace_id: header(response, "x-request-id"),
      });
      expect(header(response, "cache-control")).toBe("no-store");
      expect(text(response)).not.toContain("hunter2");
    },
  };
}

const profiles = ["sluice", "problem", "detail"] as const;

/** Whatever goes wrong, in one of three shapes. */
export const errorCases: readonly ContractCase[] = [
  ...profiles.flatMap((profile) => situations.map((situation) => rendered(profile, situation))),
  {
    title: "answers a client that asks for it with application/problem+json",
    async check({ listen }) {
      const port = await listen({ routes: [fails] });
      const response = await request(port, { path: "/fails", headers: { accept: "application/problem+json" } });
      expect(header(response, "content-type")).toBe("application/problem+json");
      expect(json(response)).toMatchObject({ type: "about:blank", status: 500 });
    },
  },
  {
    title: "names the methods that a path has",
    async check({ listen }) {
      const post = native("POST", "/hello", ({ reply }) => reply(201));
      const byId = native("PUT", "/items/:id", ({ reply }) => reply(200));
      const port = await listen({ routes: [hello, post, byId] });
      expect(header(await request(port, { method: "DELETE", path: "/hello" }), "allow")).toBe("GET, HEAD, POST");
      expect(header(await request(port, { method: "GET", path: "/items/7?x=1" }), "allow")).toBe("PUT");
    },
  },
  {
    title: "sends the headers of an error",
    async check({ listen }) {
      const port = await listen({ routes: [soldOut] });
      expect(header(await request(port, { path: "/sold" }), "retry-after")).toBe("9");
    },
  },
  {
    title: "answers HEAD for an error without a body",
    async check({ listen }) {
      const port = await listen({ routes: [fails] });
      const response = await request(port, { method: "HEAD", path: "/fails" });
      expect([response.status, response.body.length]).toEqual([500, 0]);
    },
  },
  {
    title: "drops what a handler has said of the reply that it gave up",
    async check({ listen, probe }) {
      const watcher = probe();
      const route = native("GET", "/late", ({ setHeaders }) => {
        setHeaders({ etag: '"1"', "content-type": "image/png", "content-encoding": "gzip" });
        throw boom;
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      const response = await request(port, { path: "/late" });
      expect([response.status, header(response, "etag"), header(response, "content-encoding")]).toEqual([
        500,
        undefined,
        undefined,
      ]);
      expect(header(response, "content-type")).toBe("application/json; charset=utf-8");
    },
  },
  {
    title: "tells of a handler's bug in an event, and not of a client's fault",
    async check({ listen }) {
      const seen: HttpEvent[] = [];
      const stop = httpEvents.subscribe((event) => seen.push(event));
      const port = await listen({ routes: [fails, soldOut] });
      await request(port, { path: "/sold" });
      const response = await request(port, { path: "/fails" });
      stop();
      expect(seen).toEqual([{ type: "request-failed", requestId: header(response, "x-request-id"), error: boom }]);
    },
  },
  {
    title: "tells guards what a parser refused",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [echo] });
      await request(port, { method: "POST", path: "/echo", headers: asJson, body: "{" });
      expect(await watcher.outcome()).toMatchObject({ kind: "failed", head: { status: 400 } });
    },
  },
];
