import { z } from "zod";

const shortest = 8;
const longest = 128;
// NFKC can turn one character into eighteen: what is typed is bounded before it is normalised.
const longestTyped = 512;

/**
 * A password as it is typed, in the form in which it is hashed: NFKC, so that the same word typed on two systems is the
 * same password (NIST SP 800-63B, 3.1.1.2).
 */
export const typedPassword = z
  .string()
  .min(1, "must not be empty")
  .max(longestTyped, `must have at most ${longest} characters`)
  // Halves of surrogate pairs would all be hashed as the same replacement character.
  .refine((text) => text.isWellFormed(), "must be well-formed text")
  .transform((text) => text.normalize("NFKC"));

/** A password that somebody chooses: {@link typedPassword} of 8 to 128 characters, counted after normalisation. */
export const newPassword = typedPassword.refine(
  hasAcceptedLength,
  `must have from ${shortest} to ${longest} characters`,
);

function hasAcceptedLength(text: string): boolean {
  const { length } = Array.from(text);
  return length >= shortest && length <= longest;
}
