import { describeValue } from "./errors.ts";
import { JsonInvalidError } from "./json-invalid.ts";

/** What {@link scanJson} refuses beside bad syntax. */
export interface ScanRules {
  readonly duplicates: "reject" | "last";
  readonly maxDepth: number;
}

interface Scan extends ScanRules {
  readonly text: string;
  at: number;
  // The containers around the current value: the names so far of an object, or an array.
  readonly open: (Set<string> | "array")[];
}

/** Checks a JSON text (RFC 8259) in one pass. It holds no value: that is left to `JSON.parse`, which is native. */
export function scanJson(text: string, rules: ScanRules): void {
  const scan: Scan = { ...rules, text, at: 0, open: [] };
  do {
    enterValue(scan);
  } while (leaveValue(scan));
}

// Character codes of the structure. Comparing numbers is several times faster than comparing one-letter strings.
const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Reads up to the end of the next scalar or empty container. */
function enterValue(scan: Scan): void {
  for (;;) {
    const code = nextCode(scan);
    if (code !== openBrace && code !== openBracket) return readScalar(scan, code);
    if (scan.open.length >= scan.maxDepth) {
      throw new JsonInvalidError("depth", scan.at, `nested deeper than ${scan.maxDepth} levels`);
    }
    const isObject = code === openBrace;
    scan.open.push(isObject ? new Set() : "array");
    scan.at += 1;
    // An empty container: leaveValue closes it.
    if (nextCode(scan) === (isObject ? closeBrace : closeBracket)) return;
    if (isObject) readName(scan);
  }
}

/** Reads what follows a value. Whether another value must follow. */
function leaveValue(scan: Scan): boolean {
  for (;;) {
    const code = nextCode(scan);
    const container = scan.open.at(-1);
    if (container === undefined) {
      if (scan.at < scan.text.length) throw unexpected(scan);
      return false;
    }
    if (code === comma) {
      scan.at += 1;
      if (container !== "array") readName(scan);
      return true;
    }
    if (code !== (container === "array" ? closeBracket : closeBrace)) throw unexpected(scan);
    scan.open.pop();
    scan.at += 1;
  }
}

/** The code of the next character that is not blank; NaN at the end. */
function nextCode(scan: Scan): number {
  for (;;) {
    const code = scan.text.charCodeAt(scan.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
    scan.at += 1;
  }
}

function readName(scan: Scan): void {
  if (nextCode(scan) !== quote) throw unexpected(scan);
  const start = scan.at;
  readString(scan);
  const names = scan.open.at(-1);
  if (names instanceof Set && scan.duplicates === "reject") addName(names, start, scan.text.slice(start, scan.at));
  if (nextCode(scan) !== colon) throw unexpected(scan);
  scan.at += 1;
}

function addName(names: Set<string>, offset: number, source: string): void {
  const name = source.includes("\\") ? (JSON.parse(source) as string) : source.slice(1, -1);
  if (names.has(name)) throw new JsonInvalidError("duplicate", offset, `a second member ${describeValue(name)}`);
  names.add(name);
}

function readScalar(scan: Scan, code: number): void {
  if (code === quote) return readString(scan);
  if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return readNumber(scan);
  const word = ["true", "false", "null"].find((literal) => scan.text.startsWith(literal, scan.at));
  if (word === undefined) throw unexpected(scan);
  scan.at += word.length;
}

const escapePattern = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

function readString(scan: Scan): void {
  scan.at += 1;
  for (;;) {
    const code = scan.text.charCodeAt(scan.at);
    if (code === backslash) {
      escapePattern.lastIndex = scan.at;
      if (!escapePattern.test(scan.text)) throw unexpected(scan);
      scan.at = escapePattern.lastIndex;
      continue;
    }
    // NaN at the end of the text fails this comparison too.
    if (!(code >= 0x20)) throw unexpected(scan);
    scan.at += 1;
    if (code === quote) return;
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([Ee][+-]?\d+)?/y;
const digitsAlwaysExact = 15;

function readNumber(scan: Scan): void {
  numberPattern.lastIndex = scan.at;
  const [source, fraction, exponent] = numberPattern.exec(scan.text) ?? [];
  if (source === undefined) throw unexpected(scan);
  const isInteger = fraction === undefined && exponent === undefined;
  if (!(isInteger && source.length <= digitsAlwaysExact)) checkNumber(scan.at, source, isInteger);
  scan.at += source.length;
}

function checkNumber(offset: number, source: string, isInteger: boolean): void {
  const value = Number(source);
  if (!Number.isFinite(value)) throw new JsonInvalidError("number", offset, "a number beyond the range of a double");
  if (value === 0 && /^[^Ee]*[1-9]/.test(source)) {
    throw new JsonInvalidError("number", offset, "a number that a double rounds to zero");
  }
  // Finite, so at most 309 digits: the arithmetic is bounded.
  if (isInteger && BigInt(source) !== BigInt(value)) {
    throw new JsonInvalidError("number", offset, "an integer that a double cannot hold exactly");
  }
}

function unexpected(scan: Scan): JsonInvalidError {
  const character = scan.text[scan.at];
  const problem = character === undefined ? "it ends too early" : `unexpected ${describeValue(character)}`;
  return new JsonInvalidError("syntax", scan.at, problem);
}
