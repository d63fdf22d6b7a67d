import { z } from "zod";

import { textParameter } from "../../http/parameters.ts";

const mostUnits = 1_000_000_000;
const key = textParameter(200).describe("Names this movement: with the same key it happens once");

/** What can be had of a product. */
export const stockLevel = z.object({
  product_id: z.uuid(),
  available: z.int(),
  version: z.int().describe("Grows with every change; 0 for a product that never had stock"),
});

/** What a movement of stock came to. */
export const stockMoved = stockLevel.extend({
  applied: z.boolean().describe("False where the same key has done it before"),
});

/** A delivery. */
export const restock = z.strictObject({
  quantity: z
    .int({ error: "must be a whole number" })
    .min(1, "must be at least 1")
    .max(mostUnits, `must be at most ${mostUnits}`),
  key,
});

/** What a count has found: units more, or fewer. */
export const adjustment = z.strictObject({
  quantity: z
    .int({ error: "must be a whole number" })
    .min(-mostUnits, `must be at least -${mostUnits}`)
    .max(mostUnits, `must be at most ${mostUnits}`)
    .refine((units) => units !== 0, "must not be 0"),
  key,
});

/** From how many units on a product is low. */
export const threshold = z.strictObject({
  low_at: z
    .int({ error: "must be a whole number" })
    .min(0, "must be at least 0")
    .max(mostUnits, `must be at most ${mostUnits}`),
});

/** A product's stock as it is answered. */
export type StockLevel = z.output<typeof stockLevel>;

/** A movement as it is answered. */
export type StockMoved = z.output<typeof stockMoved>;

/** A movement as it is asked for. */
export type StockMovement = z.output<typeof restock>;
