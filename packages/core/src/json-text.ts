import { InvalidArgumentError } from "./errors.ts";
import { JsonInvalidError } from "./json-invalid.ts";
import { scanJson } from "./json-scan.ts";
import { checkLimits } from "./not-canonical.ts";

/** A value that JSON text can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** What {@link parseJson} accepts. */
export interface ParseJsonOptions {
  /**
   * What happens when an object names a member twice. Default `"reject"`: two readers of the text may disagree about
   * which one counts. `"last"` keeps the last one, as `JSON.parse` does.
   */
  readonly duplicates?: "reject" | "last";
  /** How deeply arrays and objects may nest; `[]` has depth 1. From 1 to 1000. Default 100. */
  readonly maxDepth?: number;
  /** Longest text in characters (UTF-16 code units). Default 16 Mi. */
  readonly maxLength?: number;
}

/**
 * Reads JSON as `JSON.parse` does, and refuses what that would change silently: a member that is named twice, an
 * integer that a double cannot hold exactly (`9007199254740993`), a number that overflows (`1e400`) or vanishes
 * (`1e-400`). A number with a fraction or an exponent is rounded to the nearest double, as everywhere in JSON. Names
 * are compared after their escapes are decoded, so `"a"` and `"\u0061"` are one name.
 *
 * A member named `__proto__` becomes an own data member, never a prototype. Copy such values with a spread, not with
 * `Object.assign`, which would set the prototype of its target.
 *
 * O(n) in the length of the text, without recursion.
 *
 * @throws `ERR_SLUICE_JSON_INVALID` with `reason` and `offset`. It shows at most 80 characters of the text.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a text that is not a string, and for impossible options.
 * @example
 * ```ts
 * import { parseJson } from "@sluice/core";
 *
 * parseJson('{"amount":100,"currency":"NGN"}'); // => { amount: 100, currency: "NGN" }
 * ```
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  const { duplicates = "reject", maxDepth = 100, maxLength = 16 * 2 ** 20 } = options;
  if (duplicates !== "reject" && duplicates !== "last") {
    throw new InvalidArgumentError("duplicates", '"reject" or "last"', duplicates);
  }
  checkLimits({ maxDepth, maxLength });
  if (typeof text !== "string") throw new InvalidArgumentError("text", "a string", typeof text);
  if (text.length > maxLength) throw new JsonInvalidError("size", maxLength, `longer than ${maxLength} characters`);
  scanJson(text, { duplicates, maxDepth });
  return JSON.parse(text) as JsonValue;
}
