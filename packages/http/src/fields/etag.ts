const mostTags = 64;
const nextTag = /\s*(?:W\/)?("[!#-~\u0080-\u00FF]*")\s*(?:,|$)/y;

/**
 * Whether an `If-None-Match` names the entity tag, by weak comparison (RFC 9110, 8.8.3.2 and 13.1.2): then a GET is
 * answered with 304. `*` names any. A list is read up to its first malformed tag, and up to 64 tags. O(length).
 *
 * @param etag - With its quotes, as in `"7f3a"` or `W/"7f3a"`.
 * @example
 * ```ts
 * import { matchesEtag } from "@sluice/http";
 *
 * matchesEtag('W/"1", "2"', '"1"'); // => true
 * ```
 */
export function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === "*") return true;
  const wanted = etag.replace(/^W\//, "");
  nextTag.lastIndex = 0;
  for (let count = 0; count < mostTags; count += 1) {
    const tag = nextTag.exec(ifNoneMatch)?.[1];
    if (tag === undefined) return false;
    if (tag === wanted) return true;
  }
  return false;
}
