import { z } from "zod";

import { choice } from "../../http/parameters.ts";

const mostItems = 50;
const mostUnits = 100;

/** Every state of an order. */
export const orderStatus = choice(
  "pending",
  "awaiting_payment",
  "payment_failed",
  "confirmed",
  "fulfilling",
  "shipped",
  "delivered",
  "cancelled",
  "expired",
  "refund_pending",
  "refunded",
);

/** How many units of one product an order may have. */
export const quantity = z
  .int({ error: "must be a whole number" })
  .min(1, "must be at least 1")
  .max(mostUnits, `must be at most ${mostUnits}`);

/** The id of a product in a body. */
export const productId = z.uuid({ error: "must be a UUID" }).toLowerCase();

/** What a new order takes. Whose it is is not the client's to say. */
export const newOrder = z.strictObject({
  items: z
    .array(z.strictObject({ product_id: productId, quantity }))
    .min(1, "must name a product")
    .max(mostItems, `must name at most ${mostItems} products`)
    .transform(addedUp)
    .refine(
      (items) => items.every((item) => item.quantity <= mostUnits),
      `must have at most ${mostUnits} units of a product, in all of its lines together`,
    ),
});

/** Lines of one product are one line. */
function addedUp(lines: readonly { readonly product_id: string; readonly quantity: number }[]) {
  const sums = new Map<string, number>();
  for (const { product_id: product, quantity: units } of lines) sums.set(product, units + (sums.get(product) ?? 0));
  return [...sums].map(([product_id, units]) => ({ product_id, quantity: units }));
}

/** The state that an administrator wants an order to be in. */
export const statusChange = z.strictObject({ status: orderStatus });

/** A row of a list of orders. */
export const order = z.object({
  id: z.uuid(),
  status: orderStatus,
  source: choice("order", "flash"),
  total_minor: z.int().describe("In minor units of the currency (kobo)"),
  currency: z.string(),
  items: z.array(z.object({ product_id: z.uuid(), name: z.string(), quantity: z.int(), price_minor: z.int() })),
  expires_at: z.string().describe("Until when its units are held for it, unless it is confirmed before"),
  version: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
});

/** One order, with the way that it went. */
export const orderDetail = order.extend({
  events: z.array(z.object({ from: orderStatus.nullable(), to: orderStatus, at: z.string() })),
});

/** The name of a state. */
export type OrderStatus = z.output<typeof orderStatus>;

/** By which route an order came. */
export type OrderSource = Order["source"];

/** An order in a list. */
export type Order = z.output<typeof order>;

/** One order. */
export type OrderDetail = z.output<typeof orderDetail>;

/** How many units of what. */
export type Item = z.output<typeof newOrder>["items"][number];
