import { append, descend, expectRoom, refusal, writeList, type CanonicalWriter } from "./canonical-writer.ts";
import { InvalidArgumentError } from "./errors.ts";
import { checkLimits, kindOf } from "./not-canonical.ts";
import { isPlainObject, sortByCodeUnit } from "./plain-data.ts";

/** Limits of {@link canonicalJson}. */
export interface CanonicalJsonOptions {
  /**
   * What happens to whole numbers beyond `Number.MAX_SAFE_INTEGER`; that is every number of that size, also `1e30`.
   * Default `"allow"`, as in RFC 8785: equal doubles are equal to all code that runs later, so nothing is confused
   * here. What can be confused are two *texts* that parse to one double, and {@link parseJson} refuses those.
   * `"reject"` is for values that a plain `JSON.parse` has read.
   */
  readonly unsafeIntegers?: "allow" | "reject";
  /** How deeply arrays and objects may nest; `[]` has depth 1. From 1 to 1000. Default 100. */
  readonly maxDepth?: number;
  /** Longest result in characters (UTF-16 code units). Default 16 Mi. */
  readonly maxLength?: number;
}

/**
 * One text per JSON value, for fingerprints: the JSON Canonicalization Scheme
 * ({@link https://www.rfc-editor.org/rfc/rfc8785 | RFC 8785}). Members are sorted by UTF-16 code unit, numbers are
 * written as ECMAScript writes them, `-0` is `0`, and nothing is normalised, so NFC and NFD stay apart.
 *
 * One departure: lone surrogates are escaped (`\ud800`), where the RFC refuses them. Refusing would let one bad string
 * fail a request that the handler can serve, and folding them into U+FFFD would make different strings equal.
 *
 * Only plain data has a canonical form. Nothing is dropped and no user code decides: `undefined`, functions, symbols,
 * bigints, NaN, infinities, class instances (`Date` and `Map` too), sparse arrays, arrays with named members,
 * accessors, hidden members and members named by a symbol are refused. `toJSON` is never called. A member named
 * `__proto__` is a member like any other. A value that is referenced twice is written twice.
 *
 * O(n log n) in the length of the result, and the stack is bounded by `maxDepth`.
 *
 * @throws `ERR_SLUICE_NOT_CANONICAL` with the `path` of the first such value, also for cycles, depth and size.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for impossible options.
 * @example
 * ```ts
 * import { canonicalJson, parseJson } from "@sluice/core";
 *
 * canonicalJson({ b: [1.0, -0], a: "é" }); // => '{"a":"é","b":[1,0]}'
 * canonicalJson(parseJson('{ "10": 1, "9": 2 }')); // => '{"10":1,"9":2}'
 * ```
 */
export function canonicalJson(value: unknown, options: CanonicalJsonOptions = {}): string {
  const { unsafeIntegers = "allow", maxDepth = 100, maxLength = 16 * 2 ** 20 } = options;
  if (unsafeIntegers !== "allow" && unsafeIntegers !== "reject") {
    throw new InvalidArgumentError("unsafeIntegers", '"allow" or "reject"', unsafeIntegers);
  }
  checkLimits({ maxDepth, maxLength });
  const writer: Writer = { text: "", path: [], unsafeIntegers, maxDepth, maxLength };
  write(writer, value);
  return writer.text;
}

type Writer = CanonicalWriter & Required<CanonicalJsonOptions>;

function write(writer: Writer, value: unknown): void {
  if (typeof value === "string") return writeString(writer, value);
  if (typeof value === "number") return writeNumber(writer, value);
  if (typeof value === "boolean") return append(writer, value ? "true" : "false");
  if (value === null) return append(writer, "null");
  if (typeof value === "object") return writeContainer(writer, value);
  throw refusal(writer, "type", `is ${kindOf(value)}, which JSON cannot hold`);
}

// Most names and strings need none, and a test costs half of what JSON.stringify does.
const needsEscape = /[^ !#-[\]-~]/;

function writeString(writer: Writer, text: string): void {
  // Asked before the work is done: escaping makes a string up to six times longer, never shorter.
  expectRoom(writer, text.length + 2);
  append(writer, needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`);
}

function writeNumber(writer: Writer, number: number): void {
  if (!Number.isFinite(number)) throw refusal(writer, "number", "is not a finite number");
  if (writer.unsafeIntegers === "reject" && Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw refusal(writer, "number", "is too large for a double to tell neighbouring integers apart");
  }
  append(writer, String(number));
}

function writeContainer(writer: Writer, value: object): void {
  descend(writer);
  if (Array.isArray(value)) return writeArray(writer, value);
  if (!isPlainObject(value)) throw refusal(writer, "type", `is ${kindOf(value)}, which JSON cannot hold`);
  writeObject(writer, value);
}

function writeArray(writer: Writer, elements: readonly unknown[]): void {
  if (Object.keys(elements).length !== elements.length) {
    throw refusal(writer, "type", "is an array with holes or named members");
  }
  writeList(writer, elements, write);
}

function writeObject(writer: Writer, members: Record<string, unknown>): void {
  append(writer, "{");
  let separator = "";
  for (const name of sortByCodeUnit(ownNames(writer, members))) {
    append(writer, separator);
    writeString(writer, name);
    append(writer, ":");
    writer.path.push(name);
    write(writer, memberValue(writer, members, name));
    writer.path.pop();
    separator = ",";
  }
  append(writer, "}");
}

function ownNames(writer: Writer, members: object): string[] {
  return Reflect.ownKeys(members).map((key) => {
    if (typeof key === "string") return key;
    throw refusal(writer, "type", "has a member that is named by a symbol");
  });
}

function memberValue(writer: Writer, members: object, name: string): unknown {
  const member = Object.getOwnPropertyDescriptor(members, name);
  // An accessor has no "value", not even an undefined one.
  if (member?.enumerable && "value" in member) return member.value;
  throw refusal(writer, "type", "is an accessor or a hidden member");
}
