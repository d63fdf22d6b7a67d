import { z } from "zod";

import { productCard } from "../products/index.ts";

/** How many products a cart has at most: as many as an order has. */
export const mostLines = 50;
/** How many of one product: as many as an order takes. */
const mostOfOne = 100;

const productId = z.uuid({ error: "must be a UUID" }).toLowerCase();
const quantity = z
  .int({ error: "must be a whole number" })
  .min(1, "must be at least 1")
  .max(mostOfOne, `must be at most ${mostOfOne}`);

/** What setting one line takes. */
export const lineChange = z.strictObject({ quantity });

/** What setting the whole cart takes. */
export const cartContents = z.strictObject({
  items: z
    .array(z.strictObject({ product_id: productId, quantity }))
    .max(mostLines, `must be at most ${mostLines} items`)
    .refine(
      (items) => new Set(items.map((item) => item.product_id)).size === items.length,
      "must name each product once",
    ),
});

/** The product in a path. */
export const lineParameters = z.object({ product_id: productId });

/** A line of a cart, as its owner sees it. */
export const cartLine = z.object({
  product_id: z.uuid(),
  quantity: z.int(),
  product: productCard.nullable().describe("As it is now; null when it is no longer for sale"),
});

/** A cart, as its owner sees it. */
export const cart = z.object({
  items: z.array(cartLine),
  total_minor: z.int().describe("Of what is still for sale, at today's prices, in minor units (kobo)"),
  currency: z.literal("NGN"),
});

/** A line of a cart, as its owner sees it. */
export type CartLine = z.output<typeof cartLine>;

/** A cart, as its owner sees it. */
export type Cart = z.output<typeof cart>;
