import { z } from "zod";

/** A listing as lists show it. */
export const listingCard = z.object({
  id: z.uuid(),
  name: z.string(),
  category: z.string().describe("The category's slug"),
  location: z.string(),
  price_minor: z.int().describe("In minor units of the currency (kobo)"),
  currency: z.string(),
  created_at: z.string(),
});

/** A listing as lists show it to somebody who is logged in. */
export const markedListingCard = listingCard.extend({ mine: z.boolean().describe("Whether it is the reader's own") });

/** A listing as its own page shows it. */
export const listing = listingCard.extend({
  description: z.string(),
  seller: z.object({ id: z.uuid(), name: z.string() }),
  inspection_flag: z.boolean().describe("Whether an inspection has been asked for"),
  version: z.int(),
  updated_at: z.string(),
});

/** A row of a list. */
export type ListingCard = z.output<typeof listingCard>;

/** A row of a list, for somebody who is logged in. */
export type MarkedListingCard = z.output<typeof markedListingCard>;

/** One listing. */
export type Listing = z.output<typeof listing>;
