import {
  canonicalParams,
  readsAsNumber,
  type CanonicalParamsOptions,
  type ParamRecord,
  type ParamValue,
} from "./canonical-params.ts";
import { InvalidArgumentError, SluiceError } from "./errors.ts";
import { checkLimits } from "./not-canonical.ts";
import { percentDecode } from "./percent-text.ts";

/** A text that {@link canonicalParams} has not written. */
export class ParamsInvalidError extends SluiceError {
  override readonly code = "ERR_SLUICE_PARAMS_INVALID";
  /** Where the text departs from the canonical form, in characters from its start. */
  readonly offset: number;

  /** @param problem - A part of a sentence that shows nothing of the text. */
  constructor(offset: number, problem: string) {
    super(`parameters are not canonical at offset ${offset}: ${problem}`);
    this.offset = offset;
  }
}

/**
 * Reads what {@link canonicalParams} has written. It accepts nothing else: unsorted or repeated names, needless quotes
 * or escapes and numbers in another notation are refused, so one set of values is never read from two texts. O(n log n).
 *
 * @throws `ERR_SLUICE_PARAMS_INVALID` with the `offset` of the first departure.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a text that is not a string, and for impossible options.
 * @example
 * ```ts
 * import { parseCanonicalParams } from "@sluice/core";
 *
 * parseCanonicalParams("page='1':tags=[x,~]"); // => { page: "1", tags: ["x", null] }
 * ```
 */
export function parseCanonicalParams(text: string, options: CanonicalParamsOptions = {}): ParamRecord {
  const { maxDepth = 16, maxLength = 2 ** 16 } = options;
  checkLimits({ maxDepth, maxLength });
  if (typeof text !== "string") throw new InvalidArgumentError("text", "a string", typeof text);
  if (text.length > maxLength) throw new ParamsInvalidError(maxLength, `longer than ${maxLength} characters`);
  const reader: Reader = { text, at: 0, depth: 1, maxDepth };
  const params = text === "" ? {} : readMembers(reader, ":");
  if (reader.at < text.length) throw new ParamsInvalidError(reader.at, "the text goes on after its end");
  // Whatever the reader was lenient about shows up here.
  const canonical = canonicalParams(params, { maxDepth, maxLength: Number.MAX_SAFE_INTEGER });
  if (canonical !== text) throw new ParamsInvalidError(firstDifference(canonical, text), "not the canonical spelling");
  return params;
}

function firstDifference(canonical: string, text: string): number {
  let at = 0;
  while (canonical[at] === text[at]) at += 1;
  return at;
}

interface Reader {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
  depth: number;
}

function readMembers(reader: Reader, separator: ":" | ","): ParamRecord {
  const members: [string, ParamValue][] = [];
  do {
    const name = readText(reader);
    expect(reader, "=");
    members.push([name, readValue(reader)]);
  } while (take(reader, separator));
  // Unlike an assignment, this makes an own member of __proto__.
  return Object.fromEntries(members);
}

function readValue(reader: Reader): ParamValue {
  if (take(reader, "~")) return null;
  if (take(reader, "@")) return readDate(reader);
  if (take(reader, "'")) {
    const text = readText(reader);
    expect(reader, "'");
    return text;
  }
  if (take(reader, "[")) return nested(reader, readArray);
  if (take(reader, "(")) return nested(reader, readObject);
  return readBare(reader);
}

function nested(reader: Reader, read: (reader: Reader) => ParamValue): ParamValue {
  reader.depth += 1;
  if (reader.depth > reader.maxDepth) throw new ParamsInvalidError(reader.at, `deeper than ${reader.maxDepth} levels`);
  const value = read(reader);
  reader.depth -= 1;
  return value;
}

function readArray(reader: Reader): ParamValue[] {
  const elements: ParamValue[] = [];
  if (take(reader, "]")) return elements;
  do {
    elements.push(readValue(reader));
  } while (take(reader, ","));
  expect(reader, "]");
  return elements;
}

function readObject(reader: Reader): ParamRecord {
  if (take(reader, ")")) return {};
  const members = readMembers(reader, ",");
  expect(reader, ")");
  return members;
}

function readDate(reader: Reader): Date {
  const start = reader.at;
  const date = new Date(readText(reader));
  if (Number.isNaN(date.getTime())) throw new ParamsInvalidError(start, "not a date");
  return date;
}

function readBare(reader: Reader): ParamValue {
  const start = reader.at;
  const text = readText(reader);
  if (reader.at === start) throw new ParamsInvalidError(start, "a value is missing");
  if (text === "true" || text === "false") return text === "true";
  if (!readsAsNumber.test(text)) return text;
  const number = Number(text);
  if (!Number.isFinite(number)) throw new ParamsInvalidError(start, "not a finite number");
  return number;
}

const textPattern = /[A-Za-z0-9._%-]*/y;

function readText(reader: Reader): string {
  textPattern.lastIndex = reader.at;
  const [encoded = ""] = textPattern.exec(reader.text) ?? [];
  const decoded = percentDecode(encoded);
  if (decoded === undefined) throw new ParamsInvalidError(reader.at, "a malformed escape");
  reader.at += encoded.length;
  return decoded;
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false;
  reader.at += 1;
  return true;
}

function expect(reader: Reader, character: string): void {
  if (!take(reader, character)) throw new ParamsInvalidError(reader.at, `${character} is missing`);
}
