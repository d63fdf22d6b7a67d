import { expect } from "vitest";

import type { ContractCase, Fixture } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, json, request, text } from "../client/request.ts";
import type { Probe } from "../probe.ts";
import { echo, hello, native } from "./handlers.ts";

const asJson = { "content-type": "application/json" };

/** A probe that reads the body before it lets the request pass. */
function reader(probe: Fixture["probe"], bodies: string[], copies = 1): Probe {
  return probe({
    requestBody: true,
    async before({ body }) {
      for (let copy = 0; copy < copies; copy += 1) bodies.push(Buffer.from(await body()).toString("latin1"));
      return undefined;
    },
  });
}

/** Guards that read the body before its parser does. */
export const requestBodyCases: readonly ContractCase[] = [
  {
    title: "gives a guard the exact body, and the handler what its parser makes of it",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const port = await listen({ guards: [reader(probe, bodies).guard], routes: [echo] });
      const body = ' {"a" : [1.0, "\u00e9"]}\n';
      const response = await request(port, { method: "POST", path: "/echo", headers: asJson, body });
      expect(json(response)).toEqual({ parsed: { a: [1, "\u00e9"] } });
      expect(bodies).toEqual([Buffer.from(body).toString("latin1")]);
    },
  },
  {
    title: "gives two guards the same body",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const port = await listen({
        guards: [reader(probe, bodies, 2).guard, reader(probe, bodies).guard],
        routes: [echo],
      });
      const response = await request(port, { method: "POST", path: "/echo", headers: asJson, body: '{"a":1}' });
      expect(json(response)).toEqual({ parsed: { a: 1 } });
      expect(bodies).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
    },
  },
  {
    title: "gives a guard a body that comes in chunks, byte by byte",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const port = await listen({ guards: [reader(probe, bodies).guard], routes: [echo] });
      await using connection = await Connection.open(port);
      const headers = { ...asJson, "transfer-encoding": "chunked" };
      const bytes = encodeRequest({
        method: "POST",
        path: "/echo",
        headers,
        body: '4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n',
      });
      for (const byte of bytes) connection.send(Uint8Array.of(byte));
      expect(json(await connection.response())).toEqual({ parsed: { a: 1 } });
      expect(bodies).toEqual(['{"a":1}']);
    },
  },
  {
    title: "gives a guard a large body, whole",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const route = native("PUT", "/upload", ({ reply }) => reply(200, "kept"));
      const port = await listen({
        routes: [{ ...route, guards: [reader(probe, bodies).guard] }],
        options: { maxBodyBytes: 2_000_000 },
      });
      const body = "0123456789".repeat(100_000);
      // The framework's own parser reads no more than 1 KiB of JSON in these applications.
      const response = await request(port, {
        method: "PUT",
        path: "/upload",
        headers: { "content-type": "text/plain" },
        body,
      });
      expect([200, 413]).toContain(response.status);
      expect(bodies).toEqual([body]);
    },
  },
  {
    title: "gives a guard an empty body where there is none",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const port = await listen({ guards: [reader(probe, bodies).guard], routes: [hello] });
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
      expect(bodies).toEqual([""]);
    },
  },
  {
    title: "serves the next request of a connection when nobody but a guard has read the body",
    async check({ listen, probe }) {
      const bodies: string[] = [];
      const port = await listen({
        guards: [reader(probe, bodies).guard],
        routes: [native("POST", "/ignores", ({ reply }) => reply(200, "ignored"))],
      });
      await using connection = await Connection.open(port);
      for (const body of ["first", "second"]) {
        connection.send(
          encodeRequest({ method: "POST", path: "/ignores", headers: asJson, body: JSON.stringify(body) }),
        );
        expect([200, 400]).toContain((await connection.response()).status);
      }
      expect(bodies).toEqual(['"first"', '"second"']);
    },
  },
  {
    title: "answers 413 when a guard asks for a body above the limit",
    async check({ listen, probe }) {
      const port = await listen({ guards: [reader(probe, []).guard], routes: [echo], options: { maxBodyBytes: 10 } });
      const response = await request(port, {
        method: "POST",
        path: "/echo",
        headers: asJson,
        body: '{"a":"long enough"}',
      });
      expect(response.status).toBe(413);
      expect(json(response)).toMatchObject({ error: { code: "BODY_TOO_LARGE" } });
    },
  },
  {
    title: "refuses the body to a guard that has not asked for it beforehand",
    async check({ listen, probe }) {
      const codes: unknown[] = [];
      const watcher = probe({
        async before({ body }) {
          await body().catch((error: { code: string }) => codes.push(error.code));
          return undefined;
        },
      });
      const port = await listen({ guards: [watcher.guard], routes: [echo] });
      const response = await request(port, { method: "POST", path: "/echo", headers: asJson, body: '{"a":1}' });
      expect(json(response)).toEqual({ parsed: { a: 1 } });
      expect(codes).toEqual(["ERR_SLUICE_HTTP_BODY_NOT_KEPT"]);
    },
  },
  {
    title: "tells a guard of an upload that breaks off while another guard reads it",
    async check({ listen, probe }) {
      const first = probe({ name: "first" });
      const second = reader(probe, []);
      const port = await listen({ guards: [first.guard, second.guard], routes: [echo] });
      await using connection = await Connection.open(port);
      connection.send(
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
      );
      await second.asked();
      connection.reset();
      expect(await first.outcome()).toEqual({ kind: "aborted" });
    },
  },
  {
    title: "tells a guard of an upload that breaks off while the framework reads it",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [echo] });
      await using connection = await Connection.open(port);
      connection.send(
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
      );
      await watcher.asked();
      connection.reset();
      // A parser that notices first makes an error of it.
      expect(["aborted", "failed"]).toContain((await watcher.outcome()).kind);
    },
  },
];
