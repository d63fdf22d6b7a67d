import { createFakeClock } from "@sluice/testing";
import { expect } from "vitest";

import type { ContractCase, Fixture } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, header, json, request, text } from "../client/request.ts";
import { boom, breaking, fails, gate, hello, native, pieces } from "./handlers.ts";

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
const binary = native("GET", "/binary", ({ reply }) => reply(200, bytes, { "content-type": "application/x-bytes" }));
const stream = native("GET", "/stream", ({ stream: send }) => send(pieces(["one ", "two ", "three"])));

/** Whether the client of a guarded `/hello` has bytes of the reply while the guard settles. */
async function arrivesEarly({ listen, probe }: Fixture, reply: "nothing" | "head" | "body"): Promise<boolean> {
  const released = gate();
  const watcher = probe({ reply, settle: () => released.promise.then(() => undefined) });
  const port = await listen({
    routes: [{ ...hello, guards: [watcher.guard] }, native("GET", "/other", hello.native ?? neverCalled)],
  });
  await using connection = await Connection.open(port);
  connection.send(encodeRequest({ path: "/hello" }));
  await watcher.outcome();
  // What was sent before now has come by then.
  await request(port, { path: "/other" });
  const early = connection.received !== "";
  released.resolve();
  expect(text(await connection.response())).toBe("hello");
  return early;
}

function neverCalled(): never {
  throw new Error("There is no such handler.");
}

/** Replies that are held back until their guards have settled. */
export const holdCases: readonly ContractCase[] = [
  {
    title: "holds nothing for a guard that needs nothing of the reply",
    check: async (fixture) => expect(await arrivesEarly(fixture, "nothing")).toBe(true),
  },
  {
    title: "holds the reply of a guard that needs its head until settle has returned",
    check: async (fixture) => expect(await arrivesEarly(fixture, "head")).toBe(false),
  },
  {
    title: "holds the reply of a guard that needs its body until settle has returned",
    check: async (fixture) => expect(await arrivesEarly(fixture, "body")).toBe(false),
  },
  {
    title: "tells a guard that needs the body every byte of it",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const port = await listen({ guards: [watcher.guard], routes: [binary] });
      expect((await request(port, { path: "/binary" })).body).toEqual(Buffer.from(bytes));
      const outcome = await watcher.outcome();
      expect(outcome).toMatchObject({ kind: "replied", head: { headers: { "content-type": "application/x-bytes" } } });
      expect(outcome.kind === "replied" && [...(outcome.body ?? [])]).toEqual([...bytes]);
    },
  },
  {
    title: "tells a guard that needs the head no body",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "head" });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      await request(port, { path: "/hello" });
      expect(await watcher.outcome()).not.toHaveProperty("body");
    },
  },
  {
    title: "holds the pieces of a stream for a guard that needs the body",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { etag: '"held"' } }) });
      const port = await listen({ guards: [watcher.guard], routes: [stream] });
      const response = await request(port, { path: "/stream" });
      expect([text(response), header(response, "etag")]).toEqual(["one two three", '"held"']);
      const outcome = await watcher.outcome();
      expect(outcome.kind === "replied" && Buffer.from(outcome.body ?? []).toString()).toBe("one two three");
    },
  },
  {
    title: "holds only the head of a stream for a guard that needs the head",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "head", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const port = await listen({ guards: [watcher.guard], routes: [stream] });
      const response = await request(port, { path: "/stream" });
      expect([text(response), header(response, "x-settled")]).toEqual(["one two three", "yes"]);
      const outcome = await watcher.outcome();
      expect(outcome.kind).toBe("streamed");
      if (outcome.kind === "streamed") expect(await outcome.ended).toMatchObject({ kind: "replied" });
    },
  },
  {
    title: "never holds an event stream",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const read = gate();
      const events = native("GET", "/events", ({ stream: send }) =>
        send(pieces(["data: 1\n\n", "data: 2\n\n"], [read.promise]), {
          "content-type": "text/event-stream; charset=utf-8",
        }),
      );
      const port = await listen({ guards: [watcher.guard], routes: [events] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/events" }));
      await connection.until("data: 1");
      const outcome = await watcher.outcome();
      read.resolve();
      const response = await connection.response();
      expect([text(response), header(response, "x-settled")]).toEqual(["data: 1\n\ndata: 2\n\n", undefined]);
      expect(outcome.kind).toBe("streamed");
      if (outcome.kind === "streamed") expect(await outcome.ended).toMatchObject({ kind: "streamed" });
    },
  },
  {
    title: "holds a body of exactly the cap",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const port = await listen({ guards: [watcher.guard], routes: [hello], options: { maxHeldBytes: 5 } });
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
      expect(await watcher.outcome()).toMatchObject({ kind: "replied" });
    },
  },
  {
    title: "lets a body above the cap go, whole",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const port = await listen({ guards: [watcher.guard], routes: [hello], options: { maxHeldBytes: 4 } });
      const response = await request(port, { path: "/hello" });
      expect([text(response), header(response, "x-settled")]).toEqual(["hello", undefined]);
      const outcome = await watcher.outcome();
      expect(outcome).toMatchObject({ kind: "over-cap", head: { status: 200 } });
      if (outcome.kind === "over-cap") expect(await outcome.ended).toMatchObject({ kind: "replied" });
    },
  },
  {
    title: "lets a stream go when it grows above the cap, without a gap",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const parts = Array.from({ length: 50 }, (_, index) => `part ${index} `);
      const long = native("GET", "/long", ({ stream: send }) => send(pieces(parts)));
      const port = await listen({ guards: [watcher.guard], routes: [long], options: { maxHeldBytes: 100 } });
      expect(text(await request(port, { path: "/long" }))).toBe(parts.join(""));
      expect(await watcher.outcome()).toMatchObject({ kind: "over-cap" });
    },
  },
  ...[
    { name: "HEAD", method: "HEAD", status: 200 },
    { name: "a 204", method: "GET", status: 204 },
    { name: "a 304", method: "GET", status: 304 },
  ].map(({ name, method, status }): ContractCase => ({
    title: `holds ${name} with an empty body`,
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const route = native("GET", "/empty", ({ reply }) => reply(status, status === 200 ? "hello" : undefined));
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      const response = await request(port, { method, path: "/empty" });
      expect([response.status, header(response, "x-settled")]).toEqual([status, "yes"]);
      const outcome = await watcher.outcome();
      expect(outcome.kind === "replied" && outcome.body?.length).toBe(0);
    },
  })),
  {
    title: "patches the head: adds, replaces and removes",
    async check({ listen, probe }) {
      const patch = { "x-added": "1", "x-own": "guard", "x-gone": null, "set-cookie": ["a=1", "b=2"] };
      const watcher = probe({ reply: "head", settle: async () => ({ headers: patch }) });
      const route = native("GET", "/patched", ({ reply }) =>
        reply(200, "hello", { "x-own": "handler", "x-gone": "1", "x-kept": "1" }),
      );
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      const response = await request(port, { path: "/patched" });
      const read = (name: string) => header(response, name);
      expect([read("x-added"), read("x-own"), read("x-gone"), read("x-kept")]).toEqual(["1", "guard", undefined, "1"]);
      expect(response.headers.get("set-cookie")).toEqual(["a=1", "b=2"]);
      expect(text(response)).toBe("hello");
    },
  },
  {
    title: "keeps each cookie of a held reply",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const route = native("GET", "/cookies", ({ reply }) => reply(200, "hello", { "set-cookie": ["a=1", "b=2"] }));
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      expect((await request(port, { path: "/cookies" })).headers.get("set-cookie")).toEqual(["a=1", "b=2"]);
      expect(await watcher.outcome()).toMatchObject({ head: { headers: { "set-cookie": ["a=1", "b=2"] } } });
    },
  },
  {
    title: "holds the reply to an error, and patches it",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const port = await listen({ guards: [watcher.guard], routes: [fails] });
      const response = await request(port, { path: "/fails" });
      expect([response.status, header(response, "x-settled")]).toEqual([500, "yes"]);
      expect(await watcher.outcome()).toMatchObject({ kind: "failed", error: boom, head: { status: 500 } });
    },
  },
  {
    title: "holds the reply to an unknown route",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-settled": "yes" } }) });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const response = await request(port, { path: "/unknown" });
      expect([response.status, header(response, "x-settled")]).toEqual([404, "yes"]);
    },
  },
  {
    title: "turns a held reply into a 500 when settle throws",
    async check({ listen, probe }) {
      const watcher = probe({
        reply: "head",
        settle: () => {
          throw boom;
        },
      });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect(response.status).toBe(500);
      expect(header(response, "x-own")).toBeUndefined();
      expect(json(response)).toMatchObject({ ok: false, error: { code: "INTERNAL_ERROR" } });
    },
  },
  {
    title: "turns a held reply into a 500 when settle rejects",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => Promise.reject(boom) });
      const port = await listen({ guards: [watcher.guard], routes: [binary] });
      const response = await request(port, { path: "/binary" });
      expect(json(response)).toMatchObject({ ok: false, error: { code: "INTERNAL_ERROR" } });
      expect(header(response, "content-type")).toBe("application/json; charset=utf-8");
    },
  },
  {
    title: "turns a held reply into a 500 when settle hangs",
    async check({ listen, probe }) {
      const clock = createFakeClock();
      const released = gate();
      const watcher = probe({ reply: "body", settle: () => released.promise.then(() => undefined) });
      const port = await listen({ guards: [watcher.guard], routes: [hello], options: { clock } });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/hello" }));
      await watcher.outcome();
      await clock.advance(10_000);
      expect((await connection.response()).status).toBe(500);
      released.resolve();
    },
  },
  {
    title: "turns a held reply into a 500 when a patch is no header",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body", settle: () => ({ headers: { "x-bad": "a\r\nb" } }) });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect([response.status, header(response, "x-bad")]).toEqual([500, undefined]);
    },
  },
  {
    title: "drops the half of a held stream that breaks off, and tells of the failure",
    async check({ listen, probe, framework }) {
      const watcher = probe({ reply: "body" });
      const port = await listen({
        guards: [watcher.guard],
        routes: [native("GET", "/breaks", ({ stream: send }) => send(breaking()))],
      });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/breaks" }));
      const outcome = await watcher.outcome();
      // Node has but one way to say that a response broke off after its handler had begun it: it closes.
      if (framework.startsWith("hono"))
        expect(outcome).toMatchObject({ kind: "failed", error: boom, head: { status: 500 } });
      else await connection.closed();
      expect(["failed", "aborted"]).toContain(outcome.kind);
      expect(connection.received).not.toContain("\r\n\r\na");
    },
  },
  {
    title: "sends a held reply to a client that reads slowly",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const large = native("GET", "/large", ({ reply }) => reply(200, "0123456789".repeat(90_000)));
      const port = await listen({ guards: [watcher.guard], routes: [large] });
      await using connection = await Connection.open(port);
      connection.socket.pause();
      connection.send(encodeRequest({ path: "/large" }));
      await watcher.outcome();
      expect(connection.received).toBe("");
      connection.socket.resume();
      expect((await connection.response()).body.length).toBe(900_000);
    },
  },
];
