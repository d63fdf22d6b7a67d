import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

import { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "@sluice/testing/faults";

/** One end of a connection, and everything that it has heard. */
export interface Peer {
  readonly socket: Socket;
  /** In the order of arrival, one entry for each piece. */
  readonly pieces: string[];
  /** `"end"`, then `"close"`, or the code of an error before `"close"`. */
  readonly endings: string[];
  /** Resolves once everything heard so far, joined, is the text. */
  hears(text: string): Promise<void>;
  /** Resolves once the connection is closed at this end. */
  closed(): Promise<void>;
}

/** Notes what a socket hears. */
export function listenTo(socket: Socket): Peer {
  const pieces: string[] = [];
  const endings: string[] = [];
  socket.on("data", (bytes: Buffer) => pieces.push(bytes.toString("latin1")));
  socket.on("end", () => endings.push("end"));
  socket.on("error", (error: NodeJS.ErrnoException) => endings.push(error.code ?? error.message));
  socket.on("close", () => endings.push("close"));
  return {
    socket,
    pieces,
    endings,
    async hears(text) {
      while (pieces.join("") !== text) await next(socket, "data");
    },
    async closed() {
      if (!socket.closed) await next(socket, "close");
    },
  };
}

// Unlike `once` of node:events, this takes an error for an event among others.
function next(socket: Socket, event: "data" | "close"): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

/** A server that says nothing by itself, behind a proxy, and clients of the proxy. */
export interface Rig extends AsyncDisposable {
  readonly proxy: FaultProxy;
  /** Connects through the proxy, and returns both ends. */
  join(): Promise<{ client: Peer; server: Peer }>;
}

/** Starts a server and a proxy in front of it. */
export async function createRig(options: Omit<FaultProxyOptions, "upstream"> = {}): Promise<Rig> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await createFaultProxy({
    ...options,
    upstream: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
  });
  const sockets: Socket[] = [];
  return {
    proxy,
    async join() {
      const accepted = once(server, "connection") as Promise<[Socket]>;
      const client = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
      client.setNoDelay(true);
      const [peer] = await accepted;
      sockets.push(client, peer);
      return { client: listenTo(client), server: listenTo(peer) };
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
