import type { HttpRequest } from "@sluice/http";

const mostNames = 64;

/**
 * The query of a request as named values, for keys: a name that comes twice has all its values, in their order. Never
 * throws, whatever the client sends. Of the values, take those that your handler reads: what else a client adds would
 * be a key of its own.
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
  const names = [...new Set(query.keys())].slice(0, mostNames);
  return Object.fromEntries(
    names.map((name) => {
      const [first = "", ...others] = query.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}
