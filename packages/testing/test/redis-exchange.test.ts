import { connect, createServer, type AddressInfo, type Socket } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { exchange } from "../src/services/redis-exchange.ts";

/** A connection to a server that hears everything and says what it is told to. */
async function connectedTo(say: (client: Socket) => void): Promise<Socket> {
  const server = createServer((client) => client.on("error", () => undefined).once("data", () => say(client)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return connect((server.address() as AddressInfo).port, "127.0.0.1");
}

describe("an exchange with a Redis", () => {
  it("understands every kind of answer, however the bytes are cut", async () => {
    const socket = await connectedTo((client) => {
      client.setNoDelay(true);
      const bytes = Buffer.from("+OK\r\n:-3\r\n$-1\r\n*3\r\n$5\r\nä\r\nb\r\n*-1\r\n*0\r\n-ERR no\r\n");
      const next = (at: number): void => {
        if (at < bytes.length) client.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    });
    const answers = await exchange(socket, [["PING"], ["PING"], ["PING"], ["PING"], ["PING"]], 5000);
    expect(answers).toEqual(["OK", -3, null, ["ä\r\nb", null, []], new Error("ERR no")]);
  });

  it("rejects what is no answer, a connection that ends early, and silence", async () => {
    const http = await connectedTo((client) => client.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(exchange(http, [["PING"]], 5000)).rejects.toThrow("what answers there is no Redis");
    const ended = await connectedTo((client) => client.end("+OK\r\n"));
    await expect(exchange(ended, [["PING"], ["PING"]], 5000)).rejects.toThrow("it closed the connection");
    const refused = await connectedTo((client) => client.end("-ERR max number of clients reached\r\n"));
    await expect(exchange(refused, [["PING"], ["PING"]], 5000)).rejects.toThrow("max number of clients reached");
    const silent = await connectedTo(() => undefined);
    await expect(exchange(silent, [["PING"]], 20)).rejects.toThrow("it did not answer in time");
  });
});
