import { deliver, newProduct } from "./goods.ts";
import type { Answer, TestMarketplace } from "./marketplace.ts";
import { register, registerAdmin, registerSeller, type Person } from "./people.ts";

/** What a purchase answers, or an error. */
export interface FlashAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Partial<Answer["body"]> & { readonly order_id?: string };
}

/** A sale with its people. */
export interface Sale {
  readonly admin: Person;
  readonly buyer: Person;
  readonly product: string;
}

/** A product with so many units, and somebody who wants it. */
export async function openSale(market: TestMarketplace, units: number): Promise<Sale> {
  const admin = await registerAdmin(market);
  const product = await newProduct(market, await registerSeller(market));
  if (units > 0) await deliver(market, admin, [product, units]);
  return { admin, buyer: await register(market), product };
}

/** Sends a purchase as it is. */
export async function flashBuy(
  market: TestMarketplace,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<FlashAnswer> {
  const reply = await fetch(`${market.url}/api/flash-buy`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as FlashAnswer["body"] };
}

/** Buys one, as the sale's buyer. */
export function buyOne(market: TestMarketplace, { buyer, product }: Sale): Promise<FlashAnswer> {
  return flashBuy(market, { product_id: product }, { authorization: `Bearer ${buyer.access_token}` });
}

/** Buys one after the other until so many are accepted. @returns the ids of the orders. */
export async function buyMany(market: TestMarketplace, sale: Sale, count: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => buyOne(market, sale)));
  return answers.map(({ body }) => body.order_id ?? "refused");
}
