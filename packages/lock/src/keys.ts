import { InvalidArgumentError } from "@sluice/core";

const longestKey = 512;
const mostKeys = 1000;

/**
 * The keys of one lock: distinct, and in the one order in which everybody takes them.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for no key, more than 1000, and a key that is empty, longer than 512
 *   characters, not well-formed Unicode or holds NUL: no two stores would agree on it.
 */
export function lockKeys(keys: string | readonly string[]): readonly string[] {
  const given = typeof keys === "string" ? [keys] : keys;
  if (!Array.isArray(given) || given.length === 0 || given.length > mostKeys) {
    throw new InvalidArgumentError("keys", `a key or 1 to ${mostKeys} of them`, keys);
  }
  for (const key of given) checkKey(key);
  if (given.length === 1) return given;
  // The default order of strings is by UTF-16 code unit, whatever the locale.
  return [...new Set(given)].toSorted((a, b) => (a < b ? -1 : 1));
}

function checkKey(key: unknown): void {
  if (typeof key === "string" && key.length > 0 && key.length <= longestKey) {
    if (key.isWellFormed() && !key.includes("\0")) return;
    throw new InvalidArgumentError("keys", "well-formed text without NUL", key);
  }
  throw new InvalidArgumentError("keys", `text of 1 to ${longestKey} characters`, key);
}
