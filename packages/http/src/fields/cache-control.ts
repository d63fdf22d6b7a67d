/** Directives of `Cache-Control` by lower-case name: `true` for one without a value. */
export type CacheDirectives = Readonly<Record<string, string | number | true>>;

/**
 * Reads a `Cache-Control` header. Of a directive that comes twice the first counts, whole numbers are numbers, and what
 * follows a part that is malformed is not read, nor are more than 64 directives. O(length).
 *
 * @example
 * ```ts
 * import { parseCacheControl } from "@sluice/http";
 *
 * parseCacheControl("Max-Age=60, no-cache"); // => { "max-age": 60, "no-cache": true }
 * ```
 */
export function parseCacheControl(header: string): CacheDirectives {
  const found = new Map<string, string | number | true>();
  directive.lastIndex = 0;
  for (let count = 0; count < mostDirectives; count += 1) {
    const [, name, quoted, token] = directive.exec(header) ?? [];
    if (name === undefined) break;
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), valueOf(quoted, token));
  }
  return Object.fromEntries(found);
}

const mostDirectives = 64;
// RFC 9111, 5.2: a token, and perhaps a token or a quoted string.
const directive = /\s*([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9a-z-]*)))?\s*(?:,|$)/iy;

function valueOf(quoted: string | undefined, token: string | undefined): string | number | true {
  const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
  if (text === undefined) return true;
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Writes a `Cache-Control` header, quoting what is no token. The inverse of {@link parseCacheControl}. */
export function printCacheControl(directives: CacheDirectives): string {
  return Object.entries(directives)
    .map(([name, value]) => (value === true ? name : `${name}=${printed(value)}`))
    .join(", ");
}

function printed(value: string | number): string {
  const text = String(value);
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
