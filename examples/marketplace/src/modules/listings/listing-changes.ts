import { z } from "zod";

import { price, textParameter } from "../../http/parameters.ts";
import { listing } from "./listing.ts";

const facts = {
  name: textParameter(200),
  description: textParameter(10_000),
  category: textParameter(64).describe("The slug of a category, from /api/categories"),
  location: textParameter(64),
  price_minor: price,
};

/** What a new listing takes. Whose it is and whether it is public is not the client's to say. */
export const newListing = z.strictObject(facts);

/** What a change of a listing takes. */
export const listingChange = z
  .strictObject({
    ...z.object(facts).partial().shape,
    version: z.int().positive().optional().describe("Refuse the change where the listing has another version by now"),
  })
  .refine(({ version: _version, ...changed }) => Object.keys(changed).length > 0, "must change something");

/** What an administrator says about inspection. */
export const inspection = z.strictObject({ inspection_flag: z.boolean() });

/** A listing as its owner and administrators see it. */
export const ownListing = listing.extend({
  status: z.enum(["draft", "pending", "approved", "rejected", "sold"]).describe("Only approved listings are public"),
});

/** One line of a bulk import. */
export const listingRow = z.strictObject({
  id: z.uuid().toLowerCase().optional().describe("Given, it makes the import safe to send again"),
  seller_id: z.uuid().toLowerCase(),
  ...facts,
  status: z.enum(["pending", "approved"]).default("pending"),
});

/** A new listing, checked. */
export type NewListing = z.output<typeof newListing>;

/** A change of a listing, checked. */
export type ListingChange = z.output<typeof listingChange>;

/** A listing as its owner and administrators see it. */
export type OwnListing = z.output<typeof ownListing>;

/** One line of a bulk import, checked. */
export type ListingRow = z.output<typeof listingRow>;
