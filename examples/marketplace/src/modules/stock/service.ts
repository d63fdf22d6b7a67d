import type { Level, MovementResult } from "@sluice/inventory";

import { Failure, notFound } from "../../http/failure.ts";
import type { Stock } from "../../infra/inventory.ts";
import type { StockedProducts } from "./repository.ts";
import type { StockLevel, StockMoved, StockMovement } from "./stock.ts";

/** What can be asked about stock, and done to it. */
export interface StockService {
  /** @throws a 404 for a product that is not for sale. */
  level(productId: string): Promise<StockLevel>;
  /** Adds units, once per key. @throws a 404, or a 409 where the key belongs to another movement. */
  restock(productId: string, movement: StockMovement): Promise<StockMoved>;
  /** As `restock`, with units that may be fewer. @throws a 409 too where units that are held would be missing. */
  adjust(productId: string, movement: StockMovement): Promise<StockMoved>;
  /** Says from how many units on a product is low. @throws a 404. */
  setLowAt(productId: string, lowAt: number): Promise<{ product_id: string; low_at: number }>;
}

/** The rules over an inventory. */
export function stockService(
  stock: Pick<Stock, "levels" | "restock" | "adjust" | "setLowAt">,
  products: StockedProducts,
): StockService {
  async function move(kind: "restock" | "adjust", productId: string, movement: StockMovement): Promise<StockMoved> {
    if (!(await products.exists(productId))) throw notFound("Product");
    return movedOf(await stock[kind]({ productId, ...movement }));
  }

  return {
    async level(productId) {
      const [isForSale, [level]] = await Promise.all([products.isForSale(productId), stock.levels([productId])]);
      if (!isForSale) throw notFound("Product");
      return levelOf(level ?? { productId, available: 0, version: 0 });
    },
    restock: (productId, movement) => move("restock", productId, movement),
    adjust: (productId, movement) => move("adjust", productId, movement),
    async setLowAt(productId, lowAt) {
      if (!(await stock.setLowAt(productId, lowAt))) throw notFound("Stock of this product");
      return { product_id: productId, low_at: lowAt };
    },
  };
}

function levelOf({ productId, available, version }: Level): StockLevel {
  return { product_id: productId, available, version };
}

function movedOf(result: MovementResult): StockMoved {
  if (result.status === "conflict") throw new Failure(409, ["KEY_REUSE", "The key belongs to another movement"]);
  if (result.status === "unknown_product") throw notFound("Stock of this product");
  const level = levelOf(result.level);
  if (result.status === "refused") {
    throw new Failure(409, ["STOCK_REFUSED", "Fewer units would be there than are held"], { details: { ...level } });
  }
  return { ...level, applied: result.status === "applied" };
}
