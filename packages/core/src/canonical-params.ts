import { append, descend, expectRoom, refusal, writeList, type CanonicalWriter } from "./canonical-writer.ts";
import { checkLimits, kindOf } from "./not-canonical.ts";
import { percentEncode } from "./percent-text.ts";
import { isPlainObject, sortByCodeUnit } from "./plain-data.ts";

/** A value that {@link canonicalParams} can encode. */
export type ParamValue = string | number | boolean | null | Date | readonly ParamValue[] | ParamRecord;

/** Named values. A member that is `undefined` is the same as an absent one. */
export interface ParamRecord {
  readonly [name: string]: ParamValue | undefined;
}

/** Limits of {@link canonicalParams} and {@link parseCanonicalParams}. */
export interface CanonicalParamsOptions {
  /** How deeply arrays and objects may nest, the parameters themselves included. From 1 to 1000. Default 16. */
  readonly maxDepth?: number;
  /** Longest text in characters, all of them ASCII. Default 64 Ki. */
  readonly maxLength?: number;
}

/**
 * One readable text per set of named values, for cache keys: `city=Paris:on=true:page=1`. Different values have
 * different texts, and {@link parseCanonicalParams} reads them back.
 *
 * | value | text |
 * |---|---|
 * | number, boolean, `null` | `page=1`, `on=true`, `x=~`; `-0` is `0` |
 * | string | `city=Paris`; quoted where it would read as one of those, or is empty: `page='1'`, `q=''` |
 * | array | `ids=[1,2]`, in its order |
 * | plain object | `range=(from=1,to=9)` |
 * | `Date` | `since=@2026-01-31T00%3A00%3A00.000Z` |
 * | `undefined` member | nothing |
 *
 * Members are sorted by UTF-16 code unit of their names. In names and strings everything but letters, digits, `.`,
 * `_` and `-` is percent-encoded, so a text holds no braces, asterisk, blank, control character or foreign colon.
 * Nothing is normalised: NFC and NFD stay apart, because folding them would give two values one text. Who wants them
 * equal normalises the values first. Members named by a symbol and hidden members are not read.
 *
 * O(n log n) in the length of the result, and the stack is bounded by `maxDepth`. Three short members take well under
 * a microsecond.
 *
 * @throws `ERR_SLUICE_NOT_CANONICAL` with the `path` of anything else: NaN, infinities, bigints, functions, symbols,
 *   class instances, invalid dates, `undefined` or a hole in an array, cycles, too much depth or length.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for impossible options.
 * @example
 * ```ts
 * import { canonicalParams } from "@sluice/core";
 *
 * canonicalParams({ page: 1, city: "Paris" }); // => "city=Paris:page=1"
 * canonicalParams({ page: "1", q: "a:b=c", tags: ["x", null] }); // => "page='1':q=a%3Ab%3Dc:tags=[x,~]"
 * ```
 */
export function canonicalParams(params: ParamRecord, options: CanonicalParamsOptions = {}): string {
  const { maxDepth = 16, maxLength = 2 ** 16 } = options;
  checkLimits({ maxDepth, maxLength });
  const writer: CanonicalWriter = { text: "", path: [], maxDepth, maxLength };
  if (typeof params !== "object" || params === null || !isPlainObject(params)) {
    throw refusal(writer, "type", `is ${kindOf(params)}, and parameters are a plain object`);
  }
  writeMembers(writer, params, ":");
  return writer.text;
}

function writeMembers(writer: CanonicalWriter, members: Record<string, unknown>, separator: ":" | ","): void {
  let before = "";
  for (const name of sortByCodeUnit(Object.keys(members))) {
    const value = members[name];
    if (value === undefined) continue;
    writer.path.push(name);
    append(writer, `${before}${encode(writer, name)}=`);
    write(writer, value);
    writer.path.pop();
    before = separator;
  }
}

function write(writer: CanonicalWriter, value: unknown): void {
  if (typeof value === "string") return writeString(writer, value);
  if (typeof value === "number") return writeNumber(writer, value);
  if (typeof value === "boolean") return append(writer, value ? "true" : "false");
  if (value === null) return append(writer, "~");
  if (typeof value === "object") return writeObject(writer, value);
  throw refusal(writer, "type", `is ${kindOf(value)}, which has no canonical text`);
}

/** What a bare text must not look like unless it is a number. */
export const readsAsNumber = /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/;

function writeString(writer: CanonicalWriter, text: string): void {
  const isAmbiguous = text === "" || text === "true" || text === "false" || readsAsNumber.test(text);
  append(writer, isAmbiguous ? `'${text}'` : encode(writer, text));
}

function writeNumber(writer: CanonicalWriter, number: number): void {
  if (!Number.isFinite(number)) throw refusal(writer, "number", "is not a finite number");
  // As ECMAScript writes it, but 1e21 for 1e+21, because a plus often means a blank in a URL.
  append(writer, Math.abs(number) < 1e21 ? String(number) : String(number).replace("+", ""));
}

function writeObject(writer: CanonicalWriter, value: object): void {
  if (value instanceof Date) return writeDate(writer, value);
  descend(writer);
  if (Array.isArray(value)) return writeList(writer, value, write);
  if (!isPlainObject(value)) throw refusal(writer, "type", `is ${kindOf(value)}, which has no canonical text`);
  append(writer, "(");
  writeMembers(writer, value, ",");
  append(writer, ")");
}

function writeDate(writer: CanonicalWriter, date: Date): void {
  let iso: string;
  try {
    iso = Date.prototype.toISOString.call(date);
  } catch {
    throw refusal(writer, "type", "is an invalid date");
  }
  append(writer, `@${percentEncode(iso)}`);
}

function encode(writer: CanonicalWriter, text: string): string {
  // Asked before the work is done: an encoding is never shorter than its text.
  expectRoom(writer, text.length);
  return percentEncode(text);
}
