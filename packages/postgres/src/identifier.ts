import { InvalidArgumentError } from "@sluice/core";

const longestIdentifierBytes = 63;

/**
 * A name as SQL text, quoted, so that any spelling is safe and keeps its case.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an empty name, one with a NUL, and one above 63 bytes of UTF-8, which
 *   PostgreSQL would cut off in silence.
 * @example
 * ```ts
 * import { quoteIdentifier } from "@sluice/postgres";
 *
 * quoteIdentifier('a "b"'); // => '"a ""b"""'
 * ```
 */
export function quoteIdentifier(name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes < 1 || bytes > longestIdentifierBytes || name.includes("\0") || /\p{Surrogate}/u.test(name)) {
    throw new InvalidArgumentError("name", `1 to ${longestIdentifierBytes} bytes of text without NUL`, name);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
