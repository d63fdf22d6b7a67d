import { hasCode } from "@sluice/core";

import { Failure, notFound } from "../../http/failure.ts";
import type { ProductCard, ProductCards } from "../products/index.ts";
import { mostLines, type Cart, type CartLine } from "./cart.ts";
import type { CartChange, CartLines, CartStore } from "./store.ts";

/** What people do with their carts. */
export interface CartService {
  read(userId: string): Promise<Cart>;
  /** How many of one product are in it. @throws a 404 where none are. */
  line(userId: string, productId: string): Promise<CartLine>;
  /**
   * Sets how many of each product there shall be.
   *
   * @throws a 404 where a product is not for sale, a 409 where there would be too many lines; then nothing has changed.
   */
  set(userId: string, change: CartChange): Promise<Cart>;
  /** Takes a product out. Whether it was in is not asked. */
  remove(userId: string, productId: string): Promise<Cart>;
  empty(userId: string): Promise<Cart>;
}

/** The rules over a store. */
export function cartService(store: CartStore, cards: ProductCards): CartService {
  async function change(userId: string, wanted: CartChange): Promise<Cart> {
    const lines = await answered(store.change(userId, wanted));
    if (lines === undefined) throw full();
    return shown(lines, cards);
  }

  return {
    read: async (userId) => shown(await answered(store.read(userId)), cards),
    async line(userId, productId) {
      const quantity = (await answered(store.read(userId))).get(productId);
      if (quantity === undefined) throw notFound("Line");
      const [product = null] = await cards([productId]);
      return { product_id: productId, quantity, product };
    },
    async set(userId, wanted) {
      const ids = [...wanted.lines.keys()];
      if ((await cards(ids)).length < ids.length) throw notFound("Product");
      return change(userId, wanted);
    },
    remove: (userId, productId) => change(userId, { lines: new Map([[productId, 0]]), anew: false }),
    empty: (userId) => change(userId, { lines: new Map(), anew: true }),
  };
}

/** In the order of the products' ids, so that it is the same on every read. */
async function shown(lines: CartLines, cards: ProductCards): Promise<Cart> {
  const ids = [...lines.keys()].toSorted();
  const found = new Map((await cards(ids)).map((card) => [card.id, card]));
  const items = ids.map((id) => ({ product_id: id, quantity: lines.get(id) ?? 0, product: found.get(id) ?? null }));
  const total = items.reduce((sum, { quantity, product }) => sum + quantity * priceOf(product), 0);
  return { items, total_minor: total, currency: "NGN" };
}

function priceOf(product: ProductCard | null): number {
  return product?.price_minor ?? 0;
}

function full(): Failure {
  return new Failure(409, ["CART_FULL", `A cart holds at most ${mostLines} products`], {
    details: { most_items: mostLines },
  });
}

const outages = ["ERR_SLUICE_REDIS_UNAVAILABLE", "ERR_SLUICE_REDIS_UNKNOWN", "ERR_SLUICE_REDIS_REPLY"] as const;

/** What carts are without their store. Whatever was sent may be sent again: it says what there shall be. */
async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!outages.some((code) => hasCode(error, code))) throw error;
    throw new Failure(503, ["CART_UNAVAILABLE", "Carts cannot be had at the moment"], {
      cause: error,
      headers: { "retry-after": "1" },
    });
  }
}
