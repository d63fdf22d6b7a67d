import { context, diag } from "@opentelemetry/api";
import { traceChannel } from "@sluice/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { Log } from "../src/http/log.ts";
import { traceRequests } from "../src/http/request-spans.ts";
import { createServer } from "../src/http/server.ts";
import { createTelemetry } from "../src/infra/telemetry.ts";
import { attributesOf, startOtlpReceiver, type OtlpReceiver } from "./support/otlp-receiver.ts";
import { captureLog } from "./support/test-server.ts";

// What @sluice/postgres publishes.
const transactions = traceChannel<{ isolation: string; attempt: number }>("sluice:postgres:transaction");
const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const json = { "content-type": "application/json" };

afterEach(() => {
  context.disable();
  diag.disable();
});

const silent = { info: ignore, warn: ignore, error: ignore, debug: ignore };

function ignore(): void {}

function sendingTo(
  { url }: Pick<OtlpReceiver, "url">,
  { timeoutMs = 2000, log = silent }: { timeoutMs?: number; log?: Log } = {},
) {
  const otlp = { endpoint: url, headers: { authorization: "Bearer t" }, timeoutMs, metricsEveryMs: 60_000 };
  return createTelemetry(otlp, log);
}

/** What happened to the first request, and to one that is never answered. */
interface Progress {
  readonly arrived: Promise<unknown>;
  readonly left: Promise<unknown>;
}

/** Sends requests to a server whose handlers run a transaction, fail or hang, and lets the receiver have their spans. */
async function serve(
  receiver: OtlpReceiver,
  send: (url: string, progress: Progress) => Promise<unknown>,
): Promise<void> {
  const [arrived, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const telemetry = sendingTo(receiver);
  const server = await createServer({
    logLevel: "fatal",
    requestTimeoutMs: 10_000,
    corsOrigins: [],
    errorProfile: "sluice",
    logTo: captureLog().stream,
  });
  if (telemetry.tracer !== undefined) traceRequests(server, telemetry.tracer);
  server.server.on("request", () => arrived.resolve());
  server.post("/orders/:id", { schema: { body: z.object({ quantity: z.int() }) } }, () =>
    transactions.trace({ isolation: "serializable", attempt: 1 }, async () => ({ ok: true })),
  );
  server.get("/throw", () => {
    throw new Error("card 4242");
  });
  server.get("/hang", (_request, { raw }) => {
    raw.once("close", left.resolve);
    return new Promise(() => undefined);
  });
  await send(await server.listen({ host: "127.0.0.1", port: 0 }), { arrived: arrived.promise, left: left.promise });
  await server.close();
  await telemetry.close(5000);
}

/** A body whose second part is sent when the first has arrived. */
function inTwoParts([first, second]: readonly [string, string], arrived: Promise<unknown>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      const encoder = new TextEncoder();
      controller.enqueue(encoder.encode(first));
      await arrived;
      controller.enqueue(encoder.encode(second));
      controller.close();
    },
  });
}

describe("the span of a request", () => {
  it("lies between the client's span and what the handler does, also when the request has a body", async () => {
    await using receiver = await startOtlpReceiver();
    await serve(receiver, async (url, { arrived }) => {
      const body = inTwoParts(['{"quantity":', "1}"], arrived);
      const headers = { ...json, traceparent: parent, "x-request-id": "order-7" };
      const reply = await fetch(`${url}/orders/7`, { method: "POST", body, headers, duplex: "half" });
      expect(reply.status).toBe(200);
    });
    const [outer, inner] = ["POST /orders/:id", "sluice.postgres.transaction"].map((name) =>
      receiver.spans().find((span) => span.name === name),
    );
    expect(outer).toMatchObject({ traceId: parent.split("-")[1], parentSpanId: parent.split("-")[2] });
    expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId });
    expect(attributesOf(outer ?? { attributes: [] })).toEqual({
      "http.request.method": "POST",
      "http.route": "/orders/:id",
      "http.response.status_code": 200,
      request_id: "order-7",
    });
    expect(receiver.headers.every(({ authorization }) => authorization === "Bearer t")).toBe(true);
  });

  it("is an error when the answer is, and when the client has gone, and never shows why", async () => {
    await using receiver = await startOtlpReceiver();
    await serve(receiver, async (url, { arrived, left }) => {
      const gone = new AbortController();
      const answer = fetch(`${url}/hang`, { signal: gone.signal });
      await arrived;
      gone.abort();
      await expect(answer).rejects.toThrow("abort");
      await left;
      await fetch(`${url}/throw`);
    });
    const spans = receiver.spans().map((span) => [span.name, span.status.code, attributesOf(span)["error.type"]]);
    expect(spans).toEqual([
      ["GET /hang", 2, "aborted"],
      ["GET /throw", 2, undefined],
    ]);
    expect(JSON.stringify(receiver.spans())).not.toContain("4242");
  });
});

describe("telemetry that cannot be delivered", () => {
  it("delays the shutdown by no more than it is given", async () => {
    await using receiver = await startOtlpReceiver();
    receiver.hold();
    const telemetry = sendingTo(receiver, { timeoutMs: 20_000 });
    telemetry.meter.createCounter("http_requests").add(1);
    telemetry.tracer?.startSpan("GET /").end();
    const startedMs = performance.now();
    await telemetry.close(100);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(receiver.headers.length).toBeGreaterThan(0);
  });

  it("is said on the log, once, without what authorizes it", async () => {
    const warn = vi.fn<(facts: object) => void>();
    const receiver = await startOtlpReceiver();
    await receiver[Symbol.asyncDispose]();
    const telemetry = sendingTo(receiver, { timeoutMs: 300, log: { ...silent, warn } });
    telemetry.meter.createCounter("http_requests").add(1);
    telemetry.tracer?.startSpan("GET /").end();
    await telemetry.close(5000);
    expect(warn.mock.calls).toEqual([
      [{ error: { message: expect.stringContaining("ECONNREFUSED") } }, "Telemetry is in trouble"],
    ]);
    expect(JSON.stringify(warn.mock.calls)).not.toContain("Bearer");
  });

  it("is not even tried where no receiver is configured", async () => {
    const telemetry = createTelemetry(undefined, silent);
    telemetry.meter.createCounter("http_requests").add(2, { route: "/a" });
    expect(telemetry.tracer).toBeUndefined();
    expect(await telemetry.text()).toContain('http_requests_total{route="/a"} 2\n');
    await telemetry.close(5000);
  });
});
