import { expect } from "vitest";

import type { ContractCase, Fixture } from "../case.ts";
import { Http2Client } from "../client/http2.ts";
import { boom, echo, fails, gate, hello, native, neutral, pieces } from "./handlers.ts";

const asJson = { ":method": "POST", "content-type": "application/json" };

function overHttp2(title: string, check: (fixture: Fixture) => Promise<void>): ContractCase {
  return { title: `HTTP/2: ${title}`, notOffered: { express: "HTTP/2" }, check };
}

/** The same over HTTP/2, where the framework has it. */
export const http2Cases: readonly ContractCase[] = [
  overHttp2("settles once, with a guard's headers on the reply", async ({ listen, probe }) => {
    const watcher = probe({ headers: { "x-tier": "a", "x-own": "guard" } });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [hello], http2: true }));
    const { headers, body } = await client.request({ ":path": "/hello" });
    expect([headers[":status"], headers["x-tier"], headers["x-own"], body.toString()]).toEqual([
      200,
      "a",
      "handler",
      "hello",
    ]);
    expect(headers["x-request-id"]).toBe((await watcher.asked()).id);
    const outcome = await watcher.outcome();
    expect(outcome).toMatchObject({ kind: "replied", head: { status: 200 } });
    expect("head" in outcome && Object.keys(outcome.head.headers).filter((name) => name.startsWith(":"))).toEqual([]);
  }),
  overHttp2("holds a reply, patches its head, and tells its body", async ({ listen, probe }) => {
    const watcher = probe({ reply: "body", settle: async () => ({ headers: { etag: '"1"', "x-own": null } }) });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [hello], http2: true }));
    const { headers, body } = await client.request({ ":path": "/hello" });
    expect([headers["etag"], headers["x-own"], body.toString()]).toEqual(['"1"', undefined, "hello"]);
    const outcome = await watcher.outcome();
    expect(outcome.kind === "replied" && Buffer.from(outcome.body ?? []).toString()).toBe("hello");
  }),
  overHttp2("turns a held reply into a 500 when settle throws", async ({ listen, probe }) => {
    const watcher = probe({ reply: "head", settle: () => Promise.reject(boom) });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [hello], http2: true }));
    const { headers, body } = await client.request({ ":path": "/hello" });
    expect(headers[":status"]).toBe(500);
    expect(JSON.parse(body.toString())).toMatchObject({ ok: false, error: { code: "INTERNAL_ERROR" } });
  }),
  overHttp2("answers with a guard's own reply", async ({ listen, probe }) => {
    const watcher = probe({
      before: () => ({ reply: { status: 429, headers: { "retry-after": "3" }, body: "slow down" } }),
    });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [hello], http2: true }));
    const { headers, body } = await client.request({ ":path": "/hello" });
    expect([headers[":status"], headers["retry-after"], body.toString()]).toEqual([429, "3", "slow down"]);
  }),
  overHttp2("tells a guard that the client reset its stream", async ({ listen, probe }) => {
    const watcher = probe();
    const gone = gate();
    const waits = native("GET", "/waits", async ({ reply }) => {
      await gone.promise;
      return reply(200, "too late");
    });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [waits], http2: true }));
    const stream = client.open({ ":path": "/waits" });
    await watcher.asked();
    stream.close(8);
    expect(await watcher.outcome()).toEqual({ kind: "aborted" });
    gone.resolve();
  }),
  overHttp2("gives a guard the exact body, and the handler what its parser makes of it", async ({ listen, probe }) => {
    const bodies: string[] = [];
    const watcher = probe({
      requestBody: true,
      async before({ body }) {
        bodies.push(Buffer.from(await body()).toString());
        return undefined;
      },
    });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [echo], http2: true }));
    const { body } = await client.request({ ...asJson, ":path": "/echo" }, ' {"a":1}');
    expect([JSON.parse(body.toString()), bodies]).toEqual([{ parsed: { a: 1 } }, [' {"a":1}']]);
  }),
  overHttp2("gives a neutral handler the exact body, and an empty one where there is none", async ({ listen }) => {
    const mirror = neutral("POST", "/mirror", async (seen) => ({ status: 200, headers: {}, body: await seen.body() }));
    const count = neutral("GET", "/count", async (seen) => ({
      status: 200,
      headers: {},
      body: `${(await seen.body()).length}`,
    }));
    await using client = new Http2Client(await listen({ routes: [mirror, count], http2: true }));
    const mirrored = await client.request(
      { ":method": "POST", ":path": "/mirror", "content-type": "image/png" },
      "\u0000\u0001",
    );
    expect(mirrored.body).toEqual(Buffer.from([0, 1]));
    expect((await client.request({ ":path": "/count" })).body.toString()).toBe("0");
  }),
  overHttp2("serves a hundred streams at once", async ({ listen, probe }) => {
    const watcher = probe({ reply: "body" });
    const byId = native("GET", "/items/:id", ({ reply }) => reply(200, "item"));
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [byId], http2: true }));
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, id) => client.request({ ":path": `/items/${id}` })),
    );
    expect(new Set(responses.map(({ body }) => body.toString()))).toEqual(new Set(["item"]));
    await watcher.settled(100);
  }),
  overHttp2("never holds an event stream", async ({ listen, probe }) => {
    const watcher = probe({ reply: "body" });
    const events = native("GET", "/events", ({ stream }) =>
      stream(pieces(["data: 1\n\n", "data: 2\n\n"]), { "content-type": "text/event-stream" }),
    );
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [events], http2: true }));
    expect((await client.request({ ":path": "/events" })).body.toString()).toBe("data: 1\n\ndata: 2\n\n");
    expect(await watcher.outcome()).toMatchObject({ kind: "streamed" });
  }),
  overHttp2("answers what a handler throws, and tells its guards", async ({ listen, probe }) => {
    const watcher = probe({ reply: "body" });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [fails], http2: true }));
    const { headers, body } = await client.request({ ":path": "/fails" });
    expect([headers[":status"], JSON.parse(body.toString()).error.code]).toEqual([500, "INTERNAL_ERROR"]);
    expect(await watcher.outcome()).toMatchObject({ kind: "failed", error: boom });
  }),
  overHttp2("answers HEAD, an unknown route and a method that the path has not", async ({ listen, probe }) => {
    const watcher = probe({ reply: "head" });
    await using client = new Http2Client(await listen({ guards: [watcher.guard], routes: [hello], http2: true }));
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await client.request(headers)).headers[":status"];
    expect(await status({ ":method": "HEAD", ":path": "/hello" })).toBe(200);
    expect(await status({ ":path": "/unknown" })).toBe(404);
    expect(await status({ ":method": "DELETE", ":path": "/hello" })).toBe(405);
    await watcher.settled(3);
  }),
];
