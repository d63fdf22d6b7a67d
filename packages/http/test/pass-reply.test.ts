import { Exchange, exchangeSettings, passReply, type HttpGuard, type ReplyBody } from "@sluice/http";
import { describe, expect, it } from "vitest";

import { eventsDuring, passingGuard, settled } from "./support/client.ts";
import { makeRequest } from "./support/request.ts";

const head = { status: 200, headers: { "content-type": "text/plain" } };
const patched = { status: 200, headers: { "content-type": "text/plain", etag: '"1"' } };
const boom = new Error("boom");
const patch = async () => ({ headers: { etag: '"1"' } });

/** A stream that a test writes, and that knows whether it was cancelled. */
function createSource() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  return {
    readable,
    write: (text: string) => ignore(writer.write(encoder.encode(text))),
    end: () => ignore(writer.close()),
    fail: (error: unknown) => ignore(writer.abort(error)),
    cancelled: writer.closed.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  };
}

function ignore(promise: Promise<void>): void {
  promise.then(undefined, () => undefined);
}

function pass(guard: HttpGuard, body: ReplyBody, first = head) {
  const exchange = new Exchange(guard, makeRequest(), exchangeSettings({ maxHeldBytes: 8 }));
  void exchange.begin();
  return { exchange, passed: passReply(exchange, first, body) };
}

function textOf(body: ReplyBody): Promise<string> {
  return new Response(body as string).text();
}

describe("passReply", () => {
  it.each(["hello", new TextEncoder().encode("hello"), undefined])("takes a whole body %j through", async (body) => {
    const guard = passingGuard("body", patch);
    const passed = await pass(guard, body).passed;
    expect(passed?.head).toEqual(patched);
    expect(await textOf(passed?.body)).toBe(body === undefined ? "" : "hello");
    expect(guard.outcomes).toMatchObject([{ kind: "replied", body: new TextEncoder().encode(body ? "hello" : "") }]);
  });

  it.each(["x", "x".repeat(100)])("lets a body go that nobody needs", async (body) => {
    const guard = passingGuard("nothing");
    expect(await pass(guard, body).passed).toEqual({ head, body });
    expect(guard.outcomes).toEqual([{ kind: "replied", head }]);
  });

  it("gives a stream whole to a guard that needs it", async () => {
    const source = createSource();
    const guard = passingGuard("body", patch);
    const { passed } = pass(guard, source.readable);
    source.write("he");
    source.write("llo");
    source.end();
    const reply = await passed;
    expect([reply?.head, await textOf(reply?.body)]).toEqual([patched, "hello"]);
    expect(guard.outcomes).toMatchObject([{ kind: "replied", body: new TextEncoder().encode("hello") }]);
  });

  it("lets a stream go that grows above the cap, with what was held first", async () => {
    const source = createSource();
    const guard = passingGuard("body");
    const { passed } = pass(guard, source.readable);
    source.write("12345");
    source.write("6789");
    const reply = await passed;
    source.write("0");
    source.end();
    expect(await textOf(reply?.body)).toBe("1234567890");
    const [outcome] = guard.outcomes;
    expect(outcome?.kind === "over-cap" && (await outcome.ended)).toMatchObject({ kind: "replied" });
  });

  it.each([
    ["an event stream", "body", { status: 200, headers: { "content-type": "text/event-stream" } }],
    ["a stream for a guard that needs the head", "head", head],
    ["a stream for a guard that needs nothing", "nothing", head],
  ] as const)("lets %s go before its first piece", async (_title, needs, first) => {
    const source = createSource();
    const guard = passingGuard(needs);
    const reply = await pass(guard, source.readable, first).passed;
    expect(reply?.head).toEqual(first);
    source.write("data: 1\n\n");
    source.end();
    expect(await textOf(reply?.body)).toBe("data: 1\n\n");
    expect(guard.outcomes).toMatchObject([{ kind: needs === "nothing" ? "replied" : "streamed" }]);
  });

  it("loses no piece that was asked for before the guard had settled", async () => {
    const source = createSource();
    const open = Promise.withResolvers<undefined>();
    const { passed } = pass(
      passingGuard("head", () => open.promise),
      source.readable,
    );
    await settled();
    open.resolve(undefined);
    const reply = await passed;
    source.write("hello");
    source.end();
    expect(await textOf(reply?.body)).toBe("hello");
  });

  it("cancels the source when the reader leaves, also while it waits for the next piece", async () => {
    const source = createSource();
    const guard = passingGuard("nothing");
    const reply = await pass(guard, source.readable).passed;
    const reader = reply?.body instanceof ReadableStream ? reply.body.getReader() : undefined;
    void reader?.read();
    await reader?.cancel(boom);
    expect(await source.cancelled).toBe(boom);
    expect(guard.outcomes).toEqual([{ kind: "aborted" }]);
  });

  it("rejects with what a held stream fails with, and the guard hears of the reply that follows", async () => {
    const source = createSource();
    const guard = passingGuard("body");
    const { passed, exchange } = pass(guard, source.readable);
    source.write("he");
    source.fail(boom);
    await expect(passed).rejects.toBe(boom);
    const failure = { status: 500, headers: {} };
    await passReply(exchange, failure, "sorry");
    expect(guard.outcomes).toEqual([{ kind: "failed", error: boom, head: failure }]);
  });

  it("passes on what a stream fails with that flows", async () => {
    const source = createSource();
    const guard = passingGuard("nothing");
    const reply = await pass(guard, source.readable).passed;
    source.fail(boom);
    await expect(textOf(reply?.body)).rejects.toBe(boom);
    expect(guard.outcomes).toEqual([{ kind: "failed", error: boom, head }]);
  });

  it("is nothing, and cancels the source, when the client goes away while the reply is held", async () => {
    const source = createSource();
    const guard = passingGuard("body");
    const { passed, exchange } = pass(guard, source.readable);
    source.write("he");
    await settled();
    exchange.gone();
    expect(await passed).toBeUndefined();
    await source.cancelled;
    expect(guard.outcomes).toEqual([{ kind: "aborted" }]);
  });

  it("sends an error in place of a stream when the guard fails to settle, and cancels the source", async () => {
    const source = createSource();
    const guard = passingGuard("head", () => Promise.reject(boom));
    await eventsDuring(async () => {
      const reply = await pass(guard, source.readable).passed;
      expect(reply?.head.status).toBe(500);
      expect(await textOf(reply?.body)).toContain("INTERNAL_ERROR");
      await source.cancelled;
    });
  });
});
