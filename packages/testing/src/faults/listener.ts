import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A listening port that can be closed and opened again. */
export interface Listener {
  readonly port: number;
  /** Listens again, on the same port. */
  open(): Promise<void>;
  /** Stops listening: the kernel refuses new connections. Those that are there stay. */
  close(): void;
}

// Also the bound on sockets and memory: twice as many sockets, and as many lanes with their held bytes.
const connectionsLimit = 1000;

/**
 * Listens on 127.0.0.1.
 *
 * @param port - 0 for a free one.
 * @throws `Error` of the operating system, such as `EADDRINUSE`.
 */
export async function createListener(port: number, connected: (client: Socket) => void): Promise<Listener> {
  let server = await listen(port, connected);
  const chosen = (server.address() as AddressInfo).port;
  return {
    port: chosen,
    async open() {
      if (!server.listening) server = await listen(chosen, connected);
    },
    close() {
      if (server.listening) server.close();
    },
  };
}

function listen(port: number, connected: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, connected);
    server.maxConnections = connectionsLimit;
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.unref();
      resolve(server);
    });
  });
}
