import { z } from "zod";

import { price, textParameter } from "../../http/parameters.ts";

const facts = {
  name: textParameter(200),
  description: textParameter(10_000),
  category: textParameter(64).describe("The slug of a category, from /api/categories"),
  price_minor: price,
};

/** What a new product takes. Whose it is is not the client's to say. */
export const newProduct = z.strictObject(facts);

/** What a change of a product takes. */
export const productChange = z
  .strictObject({
    ...z.object(facts).partial().shape,
    version: z.int().positive().optional().describe("Refuse the change where the product has another version by now"),
  })
  .refine(({ version: _version, ...change }) => Object.keys(change).length > 0, "must change something");

/** One line of a bulk import. */
export const productRow = z.strictObject({
  id: z.uuid().toLowerCase().optional().describe("Given, it makes the import safe to send again"),
  seller_id: z.uuid().toLowerCase(),
  ...facts,
});

/** A new product, checked. */
export type NewProduct = z.output<typeof newProduct>;

/** A change of a product, checked. */
export type ProductChange = z.output<typeof productChange>;

/** One line of a bulk import, checked. */
export type ProductRow = z.output<typeof productRow>;
