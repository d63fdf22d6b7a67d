import { Writable } from "node:stream";

import { z } from "zod";

import { ok } from "../../src/http/envelope.ts";
import { answerOtherMethods } from "../../src/http/methods.ts";
import { createServer, refuseEarly, type Server, type ServerOptions } from "../../src/http/server.ts";

/** Log lines as they are written, parsed. */
export interface CapturedLog {
  readonly stream: Writable;
  readonly lines: Record<string, unknown>[];
}

/** Collects log lines. */
export function captureLog(): CapturedLog {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { stream, lines };
}

/** A server with routes that take a body, throw, and hang. */
export async function createProbe(options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await createServer({
    logLevel: "error",
    requestTimeoutMs: 10_000,
    corsOrigins: [],
    errorProfile: "sluice",
    logTo: captureLog().stream,
    ...options,
  });
  refuseEarly(server);
  await answerOtherMethods(server, async () => {
    server.post("/echo", { schema: { body: z.object({ quantity: z.int() }) } }, ({ id, body }) => ok(id, body));
    server.get("/throw", () => {
      throw new Error("password=hunter2");
    });
    server.get("/hang", () => new Promise(() => undefined));
    server.get("/items/:id", ({ id }) => ok(id, {}));
  });
  return server;
}
