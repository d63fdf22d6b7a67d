import type { Answer, TestMarketplace } from "./marketplace.ts";
import { send, type Person } from "./people.ts";

/** A request, as far as its line goes. */
export type Request = readonly [method: string, path: string];

/** Sends requests of somebody. */
export function as({ access_token: token }: Person, market: TestMarketplace) {
  return (request: Request, body?: unknown): Promise<Answer> =>
    send(market, request, body === undefined ? { token } : { token, body });
}

/** How many of each product a cart holds. */
export function linesOf({ body }: Answer): Record<string, number> {
  const { items } = body.data as { items: { product_id: string; quantity: number }[] };
  return Object.fromEntries(items.map((item) => [item.product_id, item.quantity]));
}
