import { parseDuration, type Duration } from "@sluice/core";
import { printCacheControl } from "@sluice/http";

/** How long caches on the way may keep a reply. They cannot be told of an invalidation. */
export interface Freshness {
  /** In any cache, the browser's too. Default 0: it asks whether it has changed. */
  readonly maxAge?: Duration;
  /** In a shared cache, such as a CDN. Default: as `maxAge`. */
  readonly sMaxage?: Duration;
  /** How long after that a shared cache may serve it while it asks for a new one. Default: not at all. */
  readonly staleWhileRevalidate?: Duration;
  /** How long after that it may when asking fails. Default: not at all. */
  readonly staleIfError?: Duration;
}

/**
 * Writes `Cache-Control` for a reply of an age. Whoever keeps the reply counts from its making: so the age is added to
 * what it may be kept from now on ({@link https://www.rfc-editor.org/rfc/rfc9111#section-4.2 | RFC 9111, 4.2}).
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function freshnessHeader(freshness: Freshness): (ageSeconds: number) => string {
  const seconds = (argument: keyof Freshness): number | undefined => {
    const duration = freshness[argument];
    return duration === undefined ? undefined : Math.floor(parseDuration(duration, { argument }) / 1000);
  };
  const maxAge = seconds("maxAge") ?? 0;
  const sMaxage = seconds("sMaxage");
  const staleWhileRevalidate = seconds("staleWhileRevalidate");
  const staleIfError = seconds("staleIfError");
  return (ageSeconds) =>
    printCacheControl({
      public: true,
      "max-age": maxAge === 0 ? 0 : maxAge + ageSeconds,
      ...(sMaxage === undefined ? {} : { "s-maxage": sMaxage + ageSeconds }),
      ...(staleWhileRevalidate === undefined ? {} : { "stale-while-revalidate": staleWhileRevalidate }),
      ...(staleIfError === undefined ? {} : { "stale-if-error": staleIfError }),
    });
}
