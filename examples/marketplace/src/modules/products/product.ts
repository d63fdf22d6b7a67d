import { z } from "zod";

/** A product as lists show it. */
export const productCard = z.object({
  id: z.uuid(),
  name: z.string(),
  category: z.string().describe("The category's slug"),
  price_minor: z.int().describe("In minor units of the currency (kobo)"),
  currency: z.string(),
  created_at: z.string(),
});

/** A product as its own page shows it. */
export const product = productCard.extend({
  description: z.string(),
  seller: z.object({ id: z.uuid(), name: z.string() }),
  version: z.int(),
  updated_at: z.string(),
});

/** A row of a list. */
export type ProductCard = z.output<typeof productCard>;

/** One product. */
export type Product = z.output<typeof product>;
