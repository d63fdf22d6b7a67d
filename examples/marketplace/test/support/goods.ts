import type { TestMarketplace } from "./marketplace.ts";
import { send, type Person } from "./people.ts";

/** Adds a product to somebody's shop. @returns its id. */
export async function newProduct(market: TestMarketplace, seller: Person, facts: object = {}): Promise<string> {
  const body = { name: "Talking drum", description: "Loud.", category: "books", price_minor: 2_500_000, ...facts };
  const answer = await send(market, ["POST", "/api/products"], { body, token: seller.access_token });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return (answer.body.data as { id: string }).id;
}

/** Delivers units of a product. */
export async function deliver(market: TestMarketplace, admin: Person, [product, quantity]: readonly [string, number]) {
  const body = { quantity, key: crypto.randomUUID() };
  const path = `/api/admin/products/${product}/restock`;
  const answer = await send(market, ["POST", path], { body, token: admin.access_token });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}
