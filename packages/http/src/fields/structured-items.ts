import { InvalidArgumentError } from "@sluice/core";

/** A value of a structured field: a String, or an Integer of at most 15 digits. */
export type StructuredValue = string | number;

/** A member of a List: an Item with its Parameters. */
export interface StructuredItem {
  readonly value: StructuredValue;
  /** By key, in the order in which they are written. */
  readonly parameters?: Readonly<Record<string, StructuredValue>>;
}

const largestInteger = 999_999_999_999_999;
const printable = /^[ -~]*$/;
const keyText = /^[a-z*][a-z0-9_.*-]*$/;

/**
 * Writes a List of Items as a header ({@link https://www.rfc-editor.org/rfc/rfc9651 | RFC 9651, 4.1}), with Strings and
 * Integers only: what `RateLimit` and `RateLimit-Policy` need. O(length).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a string beyond printable ASCII, a number that is no Integer, and a key
 *   that is none.
 * @example
 * ```ts
 * import { printItems } from "@sluice/http";
 *
 * printItems([{ value: "auth-min", parameters: { q: 10, w: 60 } }]); // => '"auth-min";q=10;w=60'
 * ```
 */
export function printItems(items: readonly StructuredItem[]): string {
  return items.map(({ value, parameters = {} }) => printValue(value) + printParameters(parameters)).join(", ");
}

/**
 * Reads a List of Items with Strings and Integers (RFC 9651, 4.2). Undefined for anything else, which is to be ignored
 * as a whole, and for more than 64 members. O(length).
 *
 * @example
 * ```ts
 * import { parseItems } from "@sluice/http";
 *
 * parseItems('"browse";r=7;t=12'); // => [{ value: "browse", parameters: { r: 7, t: 12 } }]
 * parseItems("browse"); // => undefined
 * ```
 */
export function parseItems(header: string): readonly StructuredItem[] | undefined {
  const text = header.replaceAll(/^ +| +$/g, "");
  const items: StructuredItem[] = [];
  let offset = 0;
  while (offset < text.length && items.length < mostItems) {
    const item = matchAt(nextItem, text, offset);
    if (!item) return undefined;
    const parameters: [string, StructuredValue][] = [];
    offset = nextItem.lastIndex;
    for (let each = matchAt(nextParameter, text, offset); each; each = matchAt(nextParameter, text, offset)) {
      parameters.push([each[1] ?? "", valueOf(each[2], each[3])]);
      offset = nextParameter.lastIndex;
    }
    items.push({ value: valueOf(item[1], item[2]), parameters: Object.fromEntries(parameters) });
    if (offset === text.length) return items;
    if (!matchAt(separator, text, offset)) return undefined;
    offset = separator.lastIndex;
  }
  return text === "" ? items : undefined;
}

const mostItems = 64;
// One item or parameter, from where the last one ended. Each alternative begins with another character, so it reads
// every character once.
const nextItem = /[ \t]*(?:"((?:[ !#-[\]-~]|\\["\\])*)"|(-?\d{1,15})(?![\d.]))/y;
const nextParameter = /;[ ]*([a-z*][a-z0-9_.*-]*)=(?:"((?:[ !#-[\]-~]|\\["\\])*)"|(-?\d{1,15})(?![\d.]))/y;
const separator = /[ \t]*,(?=[ \t]*[^ \t])/y;

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

function valueOf(quoted: string | undefined, digits: string | undefined): StructuredValue {
  // Adding 0 makes 0 of -0.
  return quoted === undefined ? Number(digits) + 0 : quoted.replaceAll(/\\(.)/g, "$1");
}

function printParameters(parameters: Readonly<Record<string, StructuredValue>>): string {
  return Object.entries(parameters)
    .map(([key, value]) => {
      if (!keyText.test(key)) throw new InvalidArgumentError("parameters", "keys of a-z, 0-9 and any of _ - . *", key);
      return `;${key}=${printValue(value)}`;
    })
    .join("");
}

function printValue(value: StructuredValue): string {
  if (typeof value === "string" && printable.test(value)) return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  if (Number.isSafeInteger(value) && Math.abs(Number(value)) <= largestInteger) return String(Number(value));
  throw new InvalidArgumentError("value", "a string of printable ASCII, or an integer of at most 15 digits", value);
}
