import { once } from "node:events";

import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { Connection } from "../client/connection.ts";
import { encodeRequest, request, text } from "../client/request.ts";
import { gate, hello, native, neutral, pieces } from "./handlers.ts";

/** Clients that leave. */
export const abortCases: readonly ContractCase[] = [
  {
    title: "tells a guard that the client left while the handler ran",
    async check({ listen, probe }) {
      const watcher = probe();
      const gone = gate();
      const route = native("GET", "/waits", async ({ reply }) => {
        await gone.promise;
        return reply(200, "too late");
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/waits" }));
      await watcher.asked();
      connection.reset();
      expect(await watcher.outcome()).toEqual({ kind: "aborted" });
      gone.resolve();
    },
  },
  {
    title: "tells a guard that the client left in the middle of a POST's reply",
    async check({ listen, probe }) {
      const watcher = probe();
      const gone = gate();
      const started = gate();
      const route = native("POST", "/waits", async ({ body, reply }) => {
        await body();
        started.resolve();
        await gone.promise;
        return reply(200, "too late");
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      const headers = { "content-type": "application/json" };
      connection.send(encodeRequest({ method: "POST", path: "/waits", headers, body: "{}" }));
      await started.promise;
      connection.reset();
      expect(await watcher.outcome()).toEqual({ kind: "aborted" });
      gone.resolve();
    },
  },
  {
    title: "tells a guard that the client left while it decided, and runs no handler",
    async check({ listen, probe }) {
      let handled = 0;
      const watcher = probe({
        async before({ signal }) {
          await once(signal, "abort");
          return undefined;
        },
      });
      const route = native("GET", "/hello", ({ reply }) => {
        handled += 1;
        return reply(200, "hello");
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/hello" }));
      await watcher.asked();
      connection.reset();
      expect(await watcher.outcome()).toEqual({ kind: "aborted" });
      expect(handled).toBe(0);
    },
  },
  {
    title: "tells a guard that passed that the client left while a later one decided",
    async check({ listen, probe }) {
      const first = probe({ name: "first" });
      const deciding = gate();
      const second = probe({
        name: "second",
        async before() {
          await deciding.promise;
          return { reply: { status: 403, headers: {} } };
        },
      });
      const port = await listen({ guards: [first.guard, second.guard], routes: [hello] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/hello" }));
      await second.asked();
      connection.reset();
      expect(await first.outcome()).toEqual({ kind: "aborted" });
      deciding.resolve();
    },
  },
  {
    title: "does not take it for an abort when the client leaves after the reply",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/hello" }));
      await connection.response();
      connection.reset();
      expect(await watcher.outcome()).toMatchObject({ kind: "replied" });
    },
  },
  {
    title: "tells of a stream that the client leaves",
    async check({ listen, probe }) {
      const watcher = probe();
      const gone = gate();
      const route = native("GET", "/stream", ({ stream }) => stream(pieces(["first", "second"], [gone.promise])));
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/stream" }));
      await connection.until("first");
      connection.reset();
      expect(await watcher.outcome()).toEqual({ kind: "aborted" });
      gone.resolve();
    },
  },
  {
    title: "tells of an event stream that the client leaves, after having told of the stream",
    async check({ listen, probe }) {
      const watcher = probe({ reply: "body" });
      const gone = gate();
      const route = native("GET", "/events", ({ stream }) =>
        stream(pieces(["data: 1\n\n", "data: 2\n\n"], [gone.promise]), { "content-type": "text/event-stream" }),
      );
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/events" }));
      await connection.until("data: 1");
      const outcome = await watcher.outcome();
      if (outcome.kind !== "streamed") throw new Error(`It was ${outcome.kind}.`);
      connection.reset();
      expect(await outcome.ended).toEqual({ kind: "aborted" });
      gone.resolve();
    },
  },
  {
    title: "drops a held reply when the client leaves before settle has returned",
    async check({ listen, probe }) {
      const released = gate();
      const watcher = probe({ reply: "body", settle: () => released.promise.then(() => undefined) });
      const observer = probe({ name: "observer" });
      const port = await listen({ guards: [observer.guard, watcher.guard], routes: [hello] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/hello" }));
      expect(await watcher.outcome()).toMatchObject({ kind: "replied" });
      connection.reset();
      await observer.outcome();
      released.resolve();
      expect(text(await request(port, { path: "/hello" }))).toBe("hello");
    },
  },
  {
    title: "aborts the signal of a neutral handler when its client leaves",
    async check({ listen, probe }) {
      const watcher = probe();
      const aborted = gate();
      const route = neutral("GET", "/neutral", async ({ signal }) => {
        await once(signal, "abort");
        aborted.resolve();
        return { status: 200, headers: {}, body: "too late" };
      });
      const port = await listen({ guards: [watcher.guard], routes: [route] });
      await using connection = await Connection.open(port);
      connection.send(encodeRequest({ path: "/neutral" }));
      await watcher.asked();
      connection.reset();
      await aborted.promise;
      expect(await watcher.outcome()).toEqual({ kind: "aborted" });
    },
  },
  {
    title: "does not abort the signal of a request that was answered",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const { signal } = await request(port, { path: "/hello" }).then(() => watcher.asked());
      await watcher.outcome();
      expect(signal.aborted).toBe(false);
    },
  },
];
