import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A purchase as it arrived. */
export interface Arrival {
  readonly token: string;
  readonly address: string;
  readonly key: string;
  readonly productId: string;
  /** How often its key has come before. */
  readonly before: number;
}

/** What a double answers to a purchase. A number is a status without a body worth reading; undefined hangs up. */
export type DoubleAnswer = { readonly status: number; readonly body?: object; readonly headers?: object } | undefined;

/** A server with the answers of a flash sale, and none of its rules. */
export interface SaleDouble extends AsyncDisposable {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** Connections that were open at once, at most. */
  readonly mostSockets: () => number;
}

/** Starts a double on loopback. */
export async function startSaleDouble(
  answer: (arrival: Arrival) => DoubleAnswer | Promise<DoubleAnswer>,
): Promise<SaleDouble> {
  const arrivals: Arrival[] = [];
  let [open, most] = [0, 0];
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrival = await arrivalOf(request, arrivals);
    arrivals.push(arrival);
    const { status, body = {}, headers = {} } = (await answer(arrival)) ?? { status: 0 };
    if (status === 0) request.socket.destroy();
    else response.writeHead(status, { ...headers }).end(JSON.stringify(body));
  }

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  server.on("connection", (socket) => {
    open += 1;
    most = Math.max(most, open);
    socket.on("close", () => (open -= 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    mostSockets: () => most,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function arrivalOf(request: IncomingMessage, before: readonly Arrival[]): Promise<Arrival> {
  const { headers } = request;
  const key = String(headers["idempotency-key"]);
  return {
    token: String(headers.authorization),
    address: String(headers["x-forwarded-for"]),
    key,
    productId: ((await json(request)) as { product_id: string }).product_id,
    before: before.filter((arrival) => arrival.key === key).length,
  };
}
