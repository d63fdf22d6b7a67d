import { z } from "zod";

/**
 * An e-mail address in the form in which accounts are found by it. Checked before it is lowered: some letters that are
 * not ASCII have ASCII ones as their small letters.
 */
export const emailAddress = z
  .string()
  .trim()
  .max(254, "must have at most 254 characters")
  .pipe(z.email({ error: "must be an e-mail address in ASCII letters" }))
  .transform((address) => address.toLowerCase());
