// The sale as it is written first: look whether there is something left, take one, and let the buyer wait for the
// payment. Nobody logs in here and nothing is limited, which favours it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";

import { systemClock } from "@sluice/core";
import pg from "pg";

import { naivePurchase } from "../naive-purchase.ts";
import { endWithParent } from "./parent.ts";

const { DATABASE_URL: connectionString, DB_POOL_MAX: max, PAYMENT_MS: paymentMs } = process.env;
const pool = new pg.Pool({ connectionString, max: Number(max) });
const buy = naivePurchase({ pool, clock: systemClock, paymentMs: Number(paymentMs) });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { product_id: productId } = (await json(request)) as { readonly product_id: string };
  const orderId = await buy(productId);
  const [status, body] =
    orderId === undefined ? [409, { detail: "Out of stock!" }] : [202, { order_id: orderId, status: "confirmed" }];
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    response.writeHead(500, { "content-type": "application/json" }).end("{}");
  });
});
const parent = endWithParent(async () => {
  server.closeAllConnections();
  await pool.end();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") parent.tell({ url: `http://127.0.0.1:${address?.port}` });
});
