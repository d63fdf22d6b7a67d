import type { HttpRequest } from "@sluice/http";

const mostPairs = 64;

/**
 * Whether a query has more values than are looked at. Parsers stop somewhere, each elsewhere: the handler might not see
 * what the key is made of, or see what it is not made of.
 */
export function isCrowded({ url }: Pick<HttpRequest, "url">): boolean {
  let pairs = 1;
  for (let at = url.indexOf("&"); at >= 0; at = url.indexOf("&", at + 1)) if ((pairs += 1) > mostPairs) return true;
  return false;
}

/**
 * The query of a request as named values, for keys: a name that comes twice has all its values, in their order. Never
 * throws, whatever the client sends. Of the values, take those that your handler reads: what else a client adds would
 * be a key of its own. Let the handler take them from here as well: where another parser reads another value, such as
 * of `?sort[]=price`, one client's reply would be stored for what others ask for. O(n).
 *
 * @example
 * ```ts
 * import { queryOf } from "@sluice/cache/http";
 *
 * queryOf({ url: "/feed?page=2&tag=a&tag=b" }); // => { page: "2", tag: ["a", "b"] }
 * ```
 */
export function queryOf({ url }: Pick<HttpRequest, "url">): Record<string, string | readonly string[]> {
  const start = url.indexOf("?");
  const query = new URLSearchParams(start < 0 ? "" : url.slice(start + 1));
  const values = new Map<string, string[]>();
  for (const [name, value] of query) {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  return Object.fromEntries(
    [...values].map(([name, [first = "", ...others]]) => [name, others.length === 0 ? first : [first, ...others]]),
  );
}
