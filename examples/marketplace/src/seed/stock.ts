import { seededRandom } from "@sluice/core";
import type { SqlTransaction } from "@sluice/postgres";

import type { seedingStock } from "../infra/inventory.ts";
import { chance } from "./draw.ts";
import { seededId } from "./seeded-id.ts";

const seed = 20_260_136;

/**
 * How many of each product there are: of one in twenty none, of the others up to two hundred.
 *
 * @yields one for each product, always the same.
 */
export function* stockOf(products: number): Generator<{ readonly productId: string; readonly quantity: number }> {
  const random = seededRandom(seed);
  for (let index = 0; index < products; index += 1) {
    const quantity = chance(random, 5) ? 0 : random.integer(5, 201);
    yield { productId: seededId("products", index), quantity };
  }
}

/** Delivers the stock of the first products, in the caller's transaction. @returns how many got some. */
export async function loadStock(
  stock: ReturnType<typeof seedingStock>,
  transaction: SqlTransaction,
  products: number,
): Promise<number> {
  let delivered = 0;
  for (const { productId, quantity } of stockOf(products)) {
    if (quantity === 0) continue;
    await stock.restock({ productId, quantity, key: `seed ${productId}` }, transaction);
    delivered += 1;
  }
  return delivered;
}
