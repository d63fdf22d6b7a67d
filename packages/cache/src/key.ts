import { hash } from "node:crypto";

import { canonicalParams, InvalidArgumentError, type ParamRecord } from "@sluice/core";

/** The part of a key that comes from parameters. */
export interface KeyText {
  /** What follows the prefix: ASCII without blanks and braces, or the first load fails. */
  readonly text: string;
  /** The parameters in full, in up to 65 000 characters of ASCII: a record tells by it whether it is really theirs. */
  readonly identity: string;
  /** The first segment of several, under which all keys that share it can be invalidated. */
  readonly lead?: string;
}

/** How the keys of a scope are made from parameters. */
export interface KeyFormat<Params> {
  /** Whether keys are segments after the prefix, which can be flushed by their first. Default `false`. */
  readonly segmented?: boolean;
  /** @throws `ERR_SLUICE_NOT_CANONICAL` or `ERR_SLUICE_INVALID_ARGUMENT` for parameters that make no key. */
  keyOf(params: Params): KeyText;
}

/** Options of {@link paramsKey} and {@link md5Key}. */
export interface ParamsKeyOptions<Params> {
  /** Values that count as given where a parameter is absent, so that both spellings have one key. */
  readonly defaults?: Partial<Params>;
}

const longestText = 200;

/**
 * Keys as `<prefix>:<sorted parameters>`, such as `v1:feed:city=Paris:page=1`. The text is that of
 * {@link canonicalParams}: sorted by name, `1` and `"1"` kept apart, and no value can forge a separator. A text of
 * more than 200 characters is replaced by `#` and its SHA-256.
 *
 * @example
 * ```ts
 * import { paramsKey } from "@sluice/cache";
 *
 * paramsKey<{ city: string; page: number }>().keyOf({ page: 1, city: "Paris" }).text; // => "city=Paris:page=1"
 * ```
 */
export function paramsKey<Params extends object>(options: ParamsKeyOptions<Params> = {}): KeyFormat<Params> {
  return {
    keyOf(params) {
      const text = bounded(canonical(params, options));
      return { text, identity: text };
    },
  };
}

/**
 * Keys as `<prefix>:<md5 of the sorted parameters>`. The hash only names the key. A record holds the parameters
 * themselves, so that a collision, which anybody can make on purpose, is a miss.
 */
export function md5Key<Params extends object>(options: ParamsKeyOptions<Params> = {}): KeyFormat<Params> {
  return {
    keyOf(params) {
      const text = canonical(params, options);
      return { text: hash("md5", text), identity: bounded(text) };
    },
  };
}

/** One segment of a path: text, or a whole number written as text. */
export type PathSegment = string | number;

/**
 * Keys as `<prefix>:<segment>:<segment>`, such as `product:42` or `availability:42:2026-01-31`. Letters, digits, `.`,
 * `_` and `-` stay as they are, all else is percent-encoded. The number 42 and the text `"42"` are one segment.
 *
 * With several segments, all keys that share the first can be invalidated at once: `flush("availability:42:")`.
 *
 * @example
 * ```ts
 * import { pathKey } from "@sluice/cache";
 *
 * pathKey<[artist: number, day: string]>().keyOf([42, "2026-01-31"]).text; // => "42:2026-01-31"
 * ```
 */
export function pathKey<Path extends PathSegment | readonly PathSegment[]>(): KeyFormat<Path> {
  return {
    segmented: true,
    keyOf(path) {
      const segments: readonly unknown[] = Array.isArray(path) ? path : [path];
      if (segments.length === 0) throw new InvalidArgumentError("path", "at least one segment", path);
      const texts = segments.map((each) => encodeSegment(each));
      const text = bounded(texts.join(":"));
      return { text, identity: text, ...(texts.length > 1 ? { lead: texts[0] ?? "" } : {}) };
    },
  };
}

/** A piece of a key in letters, digits, `.`, `_`, `-` and percent escapes. */
export function encodeSegment(segment: unknown, argument = "path"): string {
  if (typeof segment === "number") {
    if (Number.isSafeInteger(segment)) return String(segment);
    throw new InvalidArgumentError(argument, "of text and whole numbers", segment);
  }
  if (typeof segment !== "string" || segment === "" || !segment.isWellFormed()) {
    throw new InvalidArgumentError(argument, "of text that is neither empty nor broken Unicode", segment);
  }
  if (/^[\w.-]+$/.test(segment)) return segment;
  if (segment.length > maxSegment)
    throw new InvalidArgumentError(argument, `of up to ${maxSegment} characters`, segment);
  return encodeURIComponent(segment).replaceAll(
    /[!'()*~]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const maxSegment = 10_000;

function canonical<Params extends object>(params: Params, { defaults }: ParamsKeyOptions<Params>): string {
  // What is no record is refused there; here, it would have the key of the defaults.
  if (!defaults || !isRecord(params)) return canonicalParams(params as ParamRecord);
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  return canonicalParams({ ...defaults, ...Object.fromEntries(given) });
}

function isRecord(params: unknown): boolean {
  if (typeof params !== "object" || params === null) return false;
  const prototype: unknown = Object.getPrototypeOf(params);
  // Object.prototype, of whatever realm, or none.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A text as it is, or by its hash when it is long. No text of the formats above begins with `#`. */
export function bounded(text: string): string {
  return text.length <= longestText ? text : `#${hash("sha256", text)}`;
}
