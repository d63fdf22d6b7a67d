import { InvalidArgumentError } from "@sluice/core";

/**
 * A whole number as it is typed: digits alone.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument.
 */
export function wholeNumber(
  argument: string,
  text: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= from && count <= to) return count;
  throw new InvalidArgumentError(argument, `a whole number from ${from} to ${to}`, text);
}
