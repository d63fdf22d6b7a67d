import { z } from "zod";

const mostMinor = 1_000_000_000_000;

/** A whole number as a query string spells it: no sign, blank, fraction, exponent, and never twice. */
function wholeParameter(from: number, to: number) {
  return z
    .string({ error: "must be given once" })
    .regex(/^\d{1,13}$/, { error: `must be a whole number from ${from} to ${to}`, abort: true })
    .transform(Number)
    .pipe(z.int().min(from, `must be at least ${from}`).max(to, `must be at most ${to}`));
}

/** Text that PostgreSQL can hold: no NUL, no half of a surrogate pair, and bounded. */
export function textParameter(longest: number) {
  return z
    .string({ error: "must be given once, as text" })
    .trim()
    .min(1, "must not be empty")
    .max(longest, `must have at most ${longest} characters`)
    .refine((text) => !/[\0\p{Surrogate}]/u.test(text), "must be text without NUL");
}

/** A price, in minor units (kobo). */
export const price = z
  .int({ error: "must be a whole number of minor units" })
  .min(0, "must be at least 0")
  .max(mostMinor, `must be at most ${mostMinor}`)
  .describe("In minor units of the currency (kobo)");
/** How many rows a page has. */
export const limit = wholeParameter(1, 100).default(20).describe("Rows per page, 1 to 100");
/** The `next_cursor` of the page before. */
export const cursor = textParameter(512).optional().describe("`next_cursor` of the page before");
/** A category's slug. */
export const category = textParameter(64).optional().describe("The slug of a category, from /api/categories");
/** Price bounds, in minor units (kobo), both included. */
export const prices = {
  min_price: wholeParameter(0, mostMinor).optional().describe("Lowest price, in minor units"),
  max_price: wholeParameter(0, mostMinor).optional().describe("Highest price, in minor units"),
};
/** Words to search for, in the syntax of `websearch_to_tsquery`. */
export const words = textParameter(200).describe('Words to search for; "a phrase", -without, or');
/** The id in a path. */
export const idParameters = z.object({ id: z.uuid({ error: "must be a UUID" }).toLowerCase() });

/** One of the names given, in the error's words. */
export function choice<const Name extends string>(...names: readonly [Name, ...Name[]]) {
  return z.enum(names, { error: `must be one of ${names.join(", ")}` });
}
