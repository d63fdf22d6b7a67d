import { httpEvents, type HttpEvent } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, request, text } from "../client/request.ts";
import type { Route } from "../framework.ts";
import { boom, fails, gate, hello, native, pieces } from "./handlers.ts";

/** What a guard that needs nothing of the reply hears of a request. */
function hears(
  title: string,
  route: Route,
  expected: object,
  options: { method?: string; status?: number } = {},
): ContractCase {
  const { method = route.method, status = 200 } = options;
  return {
    title,
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      expect((await request(port, { method, path: route.path })).status).toBe(status);
      expect(await watcher.outcome()).toMatchObject({ head: { status }, ...expected });
    },
  };
}

const events: Route = native("GET", "/events", ({ stream }) =>
  stream(pieces(["data: 1\n\n", "data: 2\n\n"]), { "content-type": "text/event-stream" }),
);

/** How requests end, as guards that need nothing of the reply hear it. That it is once, the harness asserts. */
export const settleCases: readonly ContractCase[] = [
  hears("settles once when the handler replies with text", hello, {
    kind: "replied",
    head: { status: 200, headers: { "x-own": "handler" } },
  }),
  hears(
    "settles once when the handler replies with JSON",
    native("GET", "/json", ({ reply }) => reply(201, { a: 1 })),
    { kind: "replied" },
    { status: 201 },
  ),
  hears(
    "settles once for a 204",
    native("GET", "/none", ({ reply }) => reply(204)),
    { kind: "replied" },
    { status: 204 },
  ),
  hears(
    "settles once for a 304",
    native("GET", "/same", ({ reply }) => reply(304, undefined, { etag: '"1"' })),
    { kind: "replied", head: { status: 304, headers: { etag: '"1"' } } },
    { status: 304 },
  ),
  hears("settles once for HEAD", hello, { kind: "replied" }, { method: "HEAD" }),
  hears(
    "settles once for HEAD of a stream",
    native("GET", "/stream", ({ stream }) => stream(pieces(["a", "b"]))),
    { kind: "replied" },
    { method: "HEAD" },
  ),
  hears("settles once when the handler throws", fails, { kind: "failed", error: boom }, { status: 500 }),
  hears(
    "settles once when the handler rejects",
    native("GET", "/rejects", async () => {
      await Promise.resolve();
      throw boom;
    }),
    { kind: "failed", error: boom },
    { status: 500 },
  ),
  hears(
    "settles once when a stream has come to its end",
    native("GET", "/stream", ({ stream }) => stream(pieces(["a", "b"]))),
    { kind: "replied" },
  ),
  hears("settles once when an event stream has come to its end", events, { kind: "streamed" }),
  {
    title: "settles once for an unknown route",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      await request(port, { path: "/unknown" });
      expect(await watcher.outcome()).toMatchObject({ kind: "replied", head: { status: 404 } });
    },
  },
  {
    title: "does not call a stream complete that breaks off",
    async check({ listen, probe }) {
      const watcher = probe();
      const read = gate();
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield* pieces(["first"]);
        await read.promise;
        throw boom;
      }
      const route = native("GET", "/breaks", ({ stream }) => stream(breaking()));
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/breaks" }));
      await connection.until("first");
      read.resolve();
      await expect(connection.response()).rejects.toThrow("closed before a whole response");
      // Fastify does not tell its hooks why it broke off.
      expect(["failed", "aborted"]).toContain((await watcher.outcome()).kind);
    },
  },
  {
    title: "takes no complete POST for an abort, though its request closes before its reply",
    async check({ listen, probe }) {
      const watcher = probe();
      const route = native("POST", "/slow", async ({ body, reply }) => {
        await body();
        // Node closes the request once its body has been read, which takes a turn.
        for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
        return reply(200, "done");
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      const headers = { "content-type": "application/json" };
      await request(port, { method: "POST", path: "/slow", headers, body: "{}" });
      expect(await watcher.outcome()).toMatchObject({ kind: "replied" });
      expect(watcher.requests[0]?.signal.aborted).toBe(false);
    },
  },
  {
    title: "settles each request of a connection that is kept alive",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      await using connection = await Connection.open(port);
      for (let count = 1; count <= 3; count += 1) {
        connection.send(encodeRequest({ path: "/hello" }));
        expect(text(await connection.response())).toBe("hello");
        await watcher.settled(count);
      }
    },
  },
  {
    title: "lets a reply stand that was not held, whatever settle throws, and tells of it in an event",
    async check({ listen, probe }) {
      const seen: HttpEvent[] = [];
      const stop = httpEvents.subscribe((event) => seen.push(event));
      const watcher = probe({
        settle: () => {
          throw boom;
        },
      });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
      await watcher.outcome();
      stop();
      expect(seen).toContainEqual({
        type: "settle-failed",
        guard: "probe",
        outcome: "replied",
        held: false,
        error: boom,
      });
    },
  },
  {
    title: "does not wait for settle where nothing is held",
    async check({ listen, probe }) {
      const released = gate();
      const watcher = probe({ settle: () => released.promise.then(() => undefined) });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
      released.resolve();
    },
  },
  {
    title: "lets a guard pass that wants to hear nothing",
    async check({ listen, probe }) {
      const silent = probe({ before: () => ({ pass: true }) });
      const port = await listen({ guards: [silent.guard], routes: [hello] });
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
      expect(silent.outcomes).toEqual([]);
    },
  },
];
