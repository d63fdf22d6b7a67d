import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import { endConnections } from "../src/http/draining.ts";
import { createServer } from "../src/http/server.ts";
import { captureLog } from "./support/test-server.ts";

/** A server with a request under way that is answered when it is told to. */
async function serve(answer: (rest: Promise<string>) => unknown) {
  const [arrived, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  let draining = false;
  const options = {
    logLevel: "fatal",
    requestTimeoutMs: 60_000,
    corsOrigins: [],
    errorProfile: "sluice" as const,
    logTo: captureLog().stream,
  };
  const server = await createServer(options);
  endConnections(server, () => draining);
  server.get("/", () => {
    arrived.resolve();
    return answer(rest.promise);
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const close = async (): Promise<void> => {
    draining = true;
    const closed = server.close();
    rest.resolve("rest");
    await closed;
  };
  return { url, arrived: arrived.promise, close };
}

// A body whose first part goes out with the head.
async function* body(rest: Promise<string>) {
  yield "head and ";
  yield await rest;
}

describe("a request under way at the shutdown", () => {
  it("is answered, and its connection does not keep the process", async () => {
    const { url, arrived, close } = await serve((rest) => rest);
    const reply = fetch(url);
    await arrived;
    const closed = close();
    expect((await reply).headers.get("connection")).toBe("close");
    expect(await (await reply).text()).toBe("rest");
    await closed;
  }, 5000);

  it("is answered to its end when the head has been sent, and its connection ends after it", async () => {
    const { url, close } = await serve((rest) => Readable.from(body(rest)));
    const reply = await fetch(url);
    expect(reply.headers.get("connection")).toBe("keep-alive");
    const closed = close();
    expect(await reply.text()).toBe("head and rest");
    await closed;
  }, 5000);
});
