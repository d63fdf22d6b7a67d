import { request, type Agent, type IncomingMessage } from "node:http";

import type { Buyer } from "./load.ts";

/** One try of one buyer. */
export interface Attempt {
  readonly url: URL;
  readonly agent: Agent;
  readonly buyer: Buyer;
  /** The same for every try of a purchase: however often it is sent, it counts once. */
  readonly key: string;
  readonly productId: string;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface AttemptAnswer {
  readonly status: number;
  readonly orderId: string | undefined;
  readonly acceptMs: number | undefined;
  readonly retryAfterMs: number | undefined;
}

const longestAnswer = 16 * 1024;

/** Sends the purchase of one unit. @throws what the network says, and an error where the answer is no answer of a sale. */
export function attempt({ url, agent, buyer, key, productId, signal }: Attempt): Promise<AttemptAnswer> {
  const body = JSON.stringify({ product_id: productId });
  const headers = {
    authorization: `Bearer ${buyer.token}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "idempotency-key": key,
    "x-forwarded-for": buyer.address,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers, signal }, (reply) => {
      answerOf(reply).then(resolve, reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function answerOf(reply: IncomingMessage): Promise<AttemptAnswer> {
  let text = "";
  for await (const chunk of reply.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > longestAnswer) throw new Error("An answer was longer than any of a sale");
  }
  const body = JSON.parse(text) as { readonly order_id?: unknown };
  const [, acceptMs] = /accept;dur=([\d.]+)/.exec(String(reply.headers["server-timing"])) ?? [];
  const [, seconds] = /^(\d+)$/.exec(reply.headers["retry-after"] ?? "") ?? [];
  return {
    status: reply.statusCode ?? 0,
    orderId: typeof body.order_id === "string" ? body.order_id : undefined,
    acceptMs: acceptMs === undefined ? undefined : Number(acceptMs),
    retryAfterMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  };
}
