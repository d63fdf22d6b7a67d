import { InvalidArgumentError, SluiceError } from "./errors.ts";

/** Why a value has no canonical form. */
export type NotCanonicalReason = "type" | "number" | "depth" | "size";

/** Where a value sits: names of members and indexes of elements, from the outside in. */
export type ValuePath = readonly (string | number)[];

/** A value outside the domain of a canonical encoding. It names the place, never the value. */
export class NotCanonicalError extends SluiceError {
  override readonly code = "ERR_SLUICE_NOT_CANONICAL";
  /**
   * `"type"`: not plain data, such as `undefined`, a bigint, a `Map` or an accessor. `"number"`: NaN, an infinity, or
   * an integer that the options refuse. `"depth"`: nested too deeply, or a cycle. `"size"`: the encoding is too long.
   */
  readonly reason: NotCanonicalReason;
  /** The place, such as `$.items[0].price`. Long paths are shortened in the middle. */
  readonly path: string;

  /** @param problem - Completes a sentence that begins with the path. */
  constructor(reason: NotCanonicalReason, path: ValuePath, problem: string) {
    const place = renderPath(path);
    super(`${place} ${problem}`);
    this.reason = reason;
    this.path = place;
  }
}

const shownSegments = 4;
const shownCharacters = 24;

function renderPath(path: ValuePath): string {
  const head = path.slice(0, shownSegments).map(renderSegment);
  const tail = path.slice(Math.max(shownSegments, path.length - shownSegments)).map(renderSegment);
  const gap = path.length > 2 * shownSegments ? "…" : "";
  return `$${head.join("")}${gap}${tail.join("")}`;
}

function renderSegment(segment: string | number): string {
  if (typeof segment === "number") return `[${segment}]`;
  if (/^[A-Za-z_$][\w$]{0,23}$/.test(segment)) return `.${segment}`;
  const isShort = segment.length <= shownCharacters;
  return `[${JSON.stringify(segment.slice(0, shownCharacters))}${isShort ? "" : "…"}]`;
}

/** What a value is, in words that hold nothing of it. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "undefined";
  if (value === null || typeof value !== "object") return `a ${typeof value}`;
  return Array.isArray(value) ? "an array" : "an object with a class";
}

/** Limits that the canonical encodings and the JSON reader share. */
export interface NestingLimits {
  /** How deeply arrays and objects may nest. A scalar has depth 0, `[]` has depth 1. From 1 to 1000. */
  readonly maxDepth: number;
  /** Longest text in characters (UTF-16 code units). */
  readonly maxLength: number;
}

const deepest = 1000;

/** Refuses limits that the recursion or the runtime could not keep. */
export function checkLimits({ maxDepth, maxLength }: NestingLimits): void {
  if (!(Number.isSafeInteger(maxDepth) && maxDepth >= 1 && maxDepth <= deepest)) {
    throw new InvalidArgumentError("maxDepth", `a whole number from 1 to ${deepest}`, maxDepth);
  }
  if (!(Number.isSafeInteger(maxLength) && maxLength >= 1)) {
    throw new InvalidArgumentError("maxLength", "a whole number from 1", maxLength);
  }
}
