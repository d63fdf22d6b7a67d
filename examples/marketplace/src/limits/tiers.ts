/** What a request counts against, beside the address's own limit. */
export type Tier = "auth" | "browse" | "write" | "flash";

/** A request, as far as its tier depends on it. */
export interface TieredRequest {
  readonly method: string;
  /** The pattern that was matched, as in `/api/products/:id`. Undefined for an unknown route. */
  readonly route: string | undefined;
  /** As it was sent. A path without a route counts where its route would. */
  readonly path?: string;
}

// What orchestrators and scrapers ask must be answered however many requests there are.
const unlimited = /^\/(?:health(?:\/|$)|healthz$|metrics$)/;
const auth = /^\/api(?:\/v1)?\/auth\//;
const flash = /^\/api(?:\/v1)?\/flash-buy$/;
const reads = new Set(["GET", "HEAD", "OPTIONS"]);

/** The tier of a request; undefined where none holds. An unknown route has one too, by its method. */
export function tierOf({ method, route, path = "" }: TieredRequest): Tier | undefined {
  if (route !== undefined && unlimited.test(route)) return undefined;
  if (reads.has(method)) return "browse";
  const place = route ?? path;
  if (auth.test(place)) return "auth";
  return flash.test(place) ? "flash" : "write";
}

/** Whether a method may change something. */
export function writes(method: string): boolean {
  return !reads.has(method);
}
