import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, header, json, request, text } from "../client/request.ts";
import { boom, echo, fails, gate, hello, native, neutral } from "./handlers.ts";

const asJson = { "content-type": "application/json" };
const mirror = neutral("POST", "/mirror", async (seen) => ({ status: 200, headers: {}, body: await seen.body() }));

/** Clients that use HTTP/1.1 to its limits, and beyond. */
export const protocolCases: readonly ContractCase[] = [
  {
    title: "serves headers that come byte by byte",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [hello] }));
      for (const byte of encodeRequest({ path: "/hello", headers: { "x-request-id": "slow" } }))
        connection.send(Uint8Array.of(byte));
      const response = await connection.response();
      expect([text(response), header(response, "x-request-id")]).toEqual(["hello", "slow"]);
    },
  },
  {
    title: "serves a body that comes byte by byte",
    async check({ listen, probe }) {
      const watcher = probe();
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [echo] }));
      const bytes = encodeRequest({ method: "POST", path: "/echo", headers: asJson, body: '{"a":[1,2,3]}' });
      for (const byte of bytes) connection.send(Uint8Array.of(byte));
      expect(json(await connection.response())).toEqual({ parsed: { a: [1, 2, 3] } });
    },
  },
  {
    title: "asks a guard before the body has come",
    async check({ listen, probe }) {
      const denied = { status: 429, headers: { connection: "close" }, body: "slow down" };
      const watcher = probe({ before: () => ({ reply: denied }) });
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [echo] }));
      connection.send(
        "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
      );
      expect((await connection.response("POST")).status).toBe(429);
    },
  },
  {
    title: "answers pipelined requests in their order",
    async check({ listen, probe }) {
      const watcher = probe();
      const byId = native("GET", "/items/:id", ({ reply }) => reply(200, `item ${watcher.requests.length}`));
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [byId] }));
      connection.send(Buffer.concat([1, 2, 3].map((id) => encodeRequest({ path: `/items/${id}` }))));
      for (let id = 1; id <= 3; id += 1) expect((await connection.response()).status).toBe(200);
      expect(watcher.requests.map(({ path }) => path)).toEqual(["/items/1", "/items/2", "/items/3"]);
      await watcher.settled(3);
    },
  },
  {
    title: "keeps the order of pipelined requests when the first reply is held",
    async check({ listen, probe }) {
      const released = gate();
      const watcher = probe({ reply: "body", settle: () => released.promise.then(() => undefined) });
      const routes = [
        { ...hello, guards: [watcher.guard] },
        native("GET", "/second", ({ reply }) => reply(200, "second")),
      ];
      const port = await listen({ routes });
      await using connection = await Connection.open(port);
      connection.send(Buffer.concat([encodeRequest({ path: "/hello" }), encodeRequest({ path: "/second" })]));
      await watcher.outcome();
      await request(port, { path: "/second" });
      expect(connection.received).toBe("");
      released.resolve();
      expect([text(await connection.response()), text(await connection.response())]).toEqual(["hello", "second"]);
    },
  },
  {
    title: "settles every pipelined request when the client leaves",
    async check({ listen, probe }) {
      const gone = gate();
      const watcher = probe({ reply: "head" });
      const waits = native("GET", "/waits", async ({ reply }) => {
        await gone.promise;
        return reply(200, "too late");
      });
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [waits] }));
      connection.send(Buffer.concat([encodeRequest({ path: "/waits" }), encodeRequest({ path: "/waits" })]));
      await watcher.asked();
      connection.reset();
      await watcher.settled(watcher.passed);
      expect(watcher.outcomes.every(({ kind }) => kind === "aborted")).toBe(true);
      gone.resolve();
    },
  },
  {
    title: "serves a request with trailers",
    async check({ listen, probe }) {
      const watcher = probe();
      const headers = { "content-type": "text/plain", "transfer-encoding": "chunked", trailer: "x-checksum" };
      const body = "5\r\nhello\r\n0\r\nx-checksum: 1\r\n\r\n";
      await using connection = await Connection.open(
        await listen({ guards: [watcher.guard], routes: [mirror, hello] }),
      );
      connection.send(encodeRequest({ method: "POST", path: "/mirror", headers, body }));
      expect(text(await connection.response())).toBe("hello");
      connection.send(encodeRequest({ path: "/hello" }));
      expect(text(await connection.response())).toBe("hello");
    },
  },
  {
    title: "lets a client that expects 100 go on",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", requestBody: true, before: ({ body }) => body().then(() => undefined) });
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [mirror] }));
      connection.send(
        "POST /mirror HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n",
      );
      expect((await connection.response()).status).toBe(100);
      connection.send("hello");
      expect(text(await connection.response())).toBe("hello");
    },
  },
  {
    title: "answers an expectation that it does not know with 417",
    async check({ listen }) {
      const port = await listen({ routes: [hello] });
      expect((await request(port, { path: "/hello", headers: { expect: "tea", connection: "close" } })).status).toBe(
        417,
      );
    },
  },
  {
    title: "asks no guard about what is not HTTP",
    async check({ listen, probe }) {
      const watcher = probe();
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [hello] }));
      connection.send("GET /hello HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n");
      expect((await connection.response()).status).toBe(400);
      expect(watcher.requests).toEqual([]);
    },
  },
  {
    title: "never calls a request whose body is shorter than announced complete",
    async check({ listen, probe }) {
      const watcher = probe();
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [mirror] }));
      connection.send(
        "POST /mirror HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nhello",
      );
      await watcher.asked();
      connection.socket.end();
      await connection.closed();
      expect((await watcher.outcome()).kind).not.toBe("replied");
    },
  },
  {
    title: "serves a client that closes its half after the request",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      await using connection = await Connection.open(await listen({ guards: [watcher.guard], routes: [hello] }));
      connection.socket.end(encodeRequest({ path: "/hello", headers: { connection: "close" } }));
      // Node closes such a connection before a reply that takes its time.
      await connection.closed();
      expect(["replied", "aborted"]).toContain((await watcher.outcome()).kind);
    },
  },
  {
    title: "serves a request with a hundred headers",
    async check({ listen, probe }) {
      const watcher = probe();
      const headers = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, "v".repeat(50)]));
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      expect(text(await request(port, { path: "/hello", headers }))).toBe("hello");
      expect((await watcher.asked()).header("x-99")).toBe("v".repeat(50));
    },
  },
  {
    title: "answers a URL that cannot be decoded as the client's fault",
    async check({ listen }) {
      const byId = native("GET", "/items/:id", ({ reply }) => reply(200, "item"));
      const response = await request(await listen({ routes: [byId] }), { path: "/items/%zz" });
      // Hono takes it as it stands.
      expect([200, 400]).toContain(response.status);
    },
  },
  {
    title: "waits for a slow client in the middle of a stream that was let go",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      // Far more than all the buffers between a handler and its client take.
      const [parts, bytes] = [400, 64 * 1024];
      let written = 0;
      async function* long(): AsyncGenerator<Uint8Array> {
        for (written = 0; written < parts; written += 1) yield Buffer.alloc(bytes, "x");
      }
      const routes = [native("GET", "/long", ({ stream }) => stream(long())), hello];
      const port = await listen({ guards: [watcher.guard], routes, options: { maxHeldBytes: 100_000 } });
      await using connection = await Connection.open(port);
      connection.socket.pause();
      connection.send(encodeRequest({ path: "/long", headers: { connection: "close" } }));
      expect(await watcher.outcome()).toMatchObject({ kind: "over-cap" });
      // It stands still once the buffers are full.
      for (let before = -1; before !== written; await request(port, { path: "/hello" })) before = written;
      expect(written).toBeLessThan(parts);
      connection.socket.resume();
      await connection.closed();
      expect((await connection.response()).body.length).toBe(parts * bytes);
    },
  },
  {
    title: "serves ten routes, and what is none of them, under two guards",
    async check({ listen, probe }) {
      const early = probe({ name: "early", stage: "address", headers: { "x-early": "1" } });
      const late = probe({ name: "late", stage: "principal", reply: "body" });
      const ten = Array.from({ length: 8 }, (_, index) =>
        native("GET", `/route-${index}`, ({ reply }) => reply(200, `route ${index}`)),
      );
      const port = await listen({ guards: [early.guard, late.guard], routes: [...ten, fails, mirror] });
      const paths = [...ten.map(({ path }) => path), "/fails", "/mirror", "/unknown", "/"];
      const responses = await Promise.all(paths.map((path) => request(port, { path })));
      expect(responses.map(({ status }) => status)).toEqual([...ten.map(() => 200), 500, 405, 404, 404]);
      expect(responses.every((response) => header(response, "x-early") === "1")).toBe(true);
      expect([early.requests.length, late.outcomes.length]).toEqual([12, 12]);
      expect(late.outcomes.filter((outcome) => outcome.kind === "failed" && outcome.error === boom).length).toBe(1);
    },
  },
];
