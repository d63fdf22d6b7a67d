import { HttpError } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, header, json, request, text } from "../client/request.ts";
import { boom, echo, neutral } from "./handlers.ts";

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);

/** Replies with the body that it was sent. */
const mirror = neutral("POST", "/mirror", async (seen) => ({
  status: 200,
  headers: { "content-type": "application/x-bytes", "x-type": seen.header("content-type") ?? "none" },
  body: await seen.body(),
}));

/** Handlers that no framework owns. */
export const neutralCases: readonly ContractCase[] = [
  {
    title: "sends status, headers and text of a neutral handler",
    async check({ listen }) {
      const headers = { "content-type": "text/plain; charset=utf-8", "set-cookie": ["a=1", "b=2"] };
      const route = neutral("GET", "/neutral", async () => ({ status: 201, headers, body: "café" }));
      const response = await request(await listen({ routes: [route] }), { path: "/neutral" });
      expect([response.status, text(response)]).toEqual([201, "café"]);
      expect(header(response, "content-type")).toBe("text/plain; charset=utf-8");
      expect(response.headers.get("set-cookie")).toEqual(["a=1", "b=2"]);
    },
  },
  {
    title: "sends no body for a neutral reply that has none",
    async check({ listen }) {
      const route = neutral("GET", "/neutral", async () => ({ status: 204, headers: {} }));
      await using connection = await Connection.open(await listen({ routes: [route] }));
      connection.send(encodeRequest({ path: "/neutral" }));
      expect((await connection.response()).status).toBe(204);
      connection.send(encodeRequest({ path: "/neutral" }));
      expect((await connection.response()).status).toBe(204);
    },
  },
  ...[
    "application/octet-stream",
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "image/png",
    undefined,
  ].map((type): ContractCase => ({
    title: `gives a neutral handler the exact bytes of ${type ?? "a body without a type"}, parsers or not`,
    async check({ listen }) {
      const port = await listen({ routes: [mirror, echo] });
      const headers = type === undefined ? {} : { "content-type": type };
      // As JSON it is malformed otherwise, which Express would refuse before any handler.
      const body = type === "application/json" ? ' {"a" : 1.0,  "b":"\\u00e9"}\n' : bytes;
      const response = await request(port, { method: "POST", path: "/mirror", headers, body });
      expect(response.body).toEqual(Buffer.from(body));
      expect(header(response, "x-type")).toBe(type ?? "none");
      const parsed = await request(port, {
        method: "POST",
        path: "/echo",
        headers: { "content-type": "application/json" },
        body: '{"a":1}',
      });
      expect(json(parsed)).toEqual({ parsed: { a: 1 } });
    },
  })),
  {
    title: "gives a neutral handler a body that comes in chunks",
    async check({ listen }) {
      const port = await listen({ routes: [mirror] });
      const headers = { "transfer-encoding": "chunked", "content-type": "text/plain" };
      const body = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
      expect(text(await request(port, { method: "POST", path: "/mirror", headers, body }))).toBe("hello world");
    },
  },
  {
    title: "gives a neutral handler an empty body where there is none",
    async check({ listen }) {
      const route = neutral("GET", "/empty", async (seen) => ({
        status: 200,
        headers: {},
        body: `${(await seen.body()).length} bytes`,
      }));
      expect(text(await request(await listen({ routes: [route] }), { path: "/empty" }))).toBe("0 bytes");
    },
  },
  {
    title: "gives a neutral handler the same bytes at every call",
    async check({ listen }) {
      const route = neutral("POST", "/twice", async (seen) => {
        const [first, second] = await Promise.all([seen.body(), seen.body()]);
        const third = await seen.body();
        return {
          status: 200,
          headers: {},
          body: [first, second, third].map((each) => Buffer.from(each).toString()).join(","),
        };
      });
      const response = await request(await listen({ routes: [route] }), {
        method: "POST",
        path: "/twice",
        body: "abc",
      });
      expect(text(response)).toBe("abc,abc,abc");
    },
  },
  ...[true, false].map((announced): ContractCase => ({
    title: `answers 413 for a body above the limit: ${announced ? "announced" : "in chunks"}`,
    async check({ listen }) {
      const port = await listen({ routes: [mirror], options: { maxBodyBytes: 10 } });
      const whole = { headers: { "content-type": "text/plain" }, body: "hello world" };
      const chunked = {
        headers: { "content-type": "text/plain", "transfer-encoding": "chunked" },
        body: "b\r\nhello world\r\n0\r\n\r\n",
      };
      const response = await request(port, { method: "POST", path: "/mirror", ...(announced ? whole : chunked) });
      expect(response.status).toBe(413);
      expect(json(response)).toMatchObject({ ok: false, error: { code: "BODY_TOO_LARGE" } });
    },
  })),
  {
    title: "answers for what a neutral handler throws as for what any handler throws",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const soldOut = new HttpError({
        status: 409,
        code: "OUT_OF_STOCK",
        message: "Out of stock!",
        details: { left: 0 },
      });
      const routes = [
        neutral("GET", "/sold", () => Promise.reject(soldOut)),
        neutral("GET", "/bug", () => Promise.reject(boom)),
      ];
      const port = await listen({ guards: [watcher.guard], routes });
      const sold = await request(port, { path: "/sold" });
      expect(sold.status).toBe(409);
      expect(json(sold)).toMatchObject({
        ok: false,
        error: { code: "OUT_OF_STOCK", message: "Out of stock!", left: 0 },
      });
      expect(await watcher.outcome()).toMatchObject({ kind: "failed", error: soldOut });
      expect(text(await request(port, { path: "/bug" }))).not.toContain("hunter2");
    },
  },
  {
    title: "holds the reply of a neutral handler",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { etag: '"1"' } }) });
      const port = await listen({ guards: [watcher.guard], routes: [mirror] });
      const response = await request(port, {
        method: "POST",
        path: "/mirror",
        headers: { "content-type": "image/png" },
        body: bytes,
      });
      expect([header(response, "etag"), response.body.length]).toEqual(['"1"', 256]);
      const outcome = await watcher.outcome();
      expect(outcome.kind === "replied" && [...(outcome.body ?? [])]).toEqual([...bytes]);
    },
  },
];
