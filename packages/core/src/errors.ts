/** A stable, literal error code. Compare codes, not classes: two installed copies of a package still agree on them. */
export type ErrorCode = `ERR_SLUICE_${string}`;

/** The base of every error that Sluice throws. A subclass fixes `code` to a literal and adds typed facts. */
export abstract class SluiceError extends Error {
  /** Stable across releases; listed in `docs/errors.md`. */
  abstract readonly code: ErrorCode;

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * Whether an error carries the given code. Works on errors of another installed copy of the package.
 *
 * @example
 * ```ts
 * import { hasCode, parseDuration } from "@sluice/core";
 *
 * try {
 *   parseDuration("soon");
 * } catch (error) {
 *   hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT"); // => true
 * }
 * ```
 */
export function hasCode<Code extends string>(error: unknown, code: Code): error is Error & { readonly code: Code } {
  return error instanceof Error && "code" in error && error.code === code;
}

/** A value from the caller that is refused before anything was done with it. */
export class InvalidArgumentError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVALID_ARGUMENT";
  /** The option or parameter, as the caller spelled it. */
  readonly argument: string;

  /**
   * @param argument - The option or parameter, as the caller spells it.
   * @param expected - Completes the sentence "must be …".
   * @param value - The offending value. It is shown shortened in the message: never pass a secret.
   */
  constructor(argument: string, expected: string, value: unknown) {
    super(`${argument} must be ${expected}, got ${describeValue(value)}`);
    this.argument = argument;
  }
}

const shownCharacters = 80;

/**
 * A value as an error message may show it: one line of at most 81 characters, without control characters, and never
 * throwing. Objects and functions are named, not shown. O(1), whatever the value.
 */
export function describeValue(value: unknown): string {
  let text: string;
  try {
    text = shown(value);
  } catch {
    // A revoked proxy answers no question about itself.
    text = "an object";
  }
  const isLong = text.length > shownCharacters;
  // \p{C} takes control and formatting characters, and the half of a pair that the cut may leave.
  const oneLine = text.slice(0, shownCharacters).replaceAll(/[\s\p{C}]+/gu, " ");
  return isLong ? `${oneLine}…` : oneLine;
}

function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "bigint") return BigInt.asIntN(128, value) === value ? `${value}n` : "a large bigint";
  if (typeof value === "symbol") return `Symbol(${quoted(value.description ?? "")})`;
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return shownObject(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, shownCharacters + 1));
}

function shownObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return value instanceof Date ? "a Date" : "an object";
}
