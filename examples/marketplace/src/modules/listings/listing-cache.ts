import { paramsKey, type CacheRead, type ReadOutcome, type Rules } from "@sluice/cache";
import { queryOf } from "@sluice/cache/http";
import type { HttpGuard } from "@sluice/http";

import type { ModuleCache } from "../../cache/caching.ts";
import { idInPath } from "../../cache/path-id.ts";
import { publicReply, type PublicReplyOptions } from "../../cache/public-reply.ts";
import type { Page } from "../../http/envelope.ts";
import type { Principal } from "../../http/principal.ts";
import {
  listingSearchQuery,
  recommendedQuery,
  spelledOut,
  type ListingSearchQuery,
  type RecommendedQuery,
} from "./listing-queries.ts";
import type { MarkedListingCard } from "./listing.ts";

/** What happens to listings, as far as what is cached depends on it. */
export interface ListingEvents {
  readonly created: object;
  /** Its facts, its approval or its inspection flag. */
  readonly updated: { readonly id: string };
  readonly deleted: { readonly id: string };
  readonly imported: object;
  /** What was bought has been counted anew, and how much there is. */
  readonly counted: object;
}

/** Somebody's search. */
type OwnSearch = ReturnType<typeof spelledOut> & { readonly user: string };

/** What of listings is cached, and what ends it. */
export interface ListingCache {
  /** Replies to `GET /public/listings/search`. */
  readonly search: HttpGuard;
  /** Replies to `GET /public/listings/recommended`. */
  readonly recommended: HttpGuard;
  /** Replies to `GET /listings/:id`. */
  readonly detail: HttpGuard;
  /** What one user's search finds, for that user alone. */
  ownSearch(
    principal: Principal,
    query: ListingSearchQuery,
    load: () => Promise<Page<MarkedListingCard>>,
  ): Promise<Pick<CacheRead<Page<MarkedListingCard>>, "value" | "outcome">>;
  readonly rules: Rules<ListingEvents>;
}

const feed = "v1:feed";

/** Caches listings. */
export function listingCache({ cache, ttlMs, settleMs: settle }: ModuleCache): ListingCache {
  const inFeed = { cache, under: feed, ttl: ttlMs.feed, settle };
  const { search, recommended } = publicFeed(inFeed);
  const own = cache.scope<OwnSearch, Page<MarkedListingCard>>("feed:own_search", {
    ...inFeed,
    prefix: `${feed}:own_search`,
    key: paramsKey(),
  });
  const detail = publicReply<{ readonly id: string }>({
    cache,
    name: "listing_detail",
    prefix: "v1:listing_detail",
    key: paramsKey(),
    params: (request) => {
      const id = idInPath(request);
      return id === undefined ? undefined : { id };
    },
    ttl: ttlMs.listingDetail,
    settle,
  });
  const rules = cache.rules<ListingEvents>({
    created: () => [cache.prefix(feed)],
    updated: ({ id }) => [detail.entry({ id }), cache.prefix(feed)],
    deleted: ({ id }) => [detail.entry({ id }), cache.prefix(feed)],
    imported: () => [cache.prefix(feed)],
    counted: () => [recommended.all()],
  });
  return {
    search,
    recommended,
    detail,
    ownSearch: (principal, query, load) => own.read({ ...spelledOut(query), user: principal.userId }, { load }),
    rules,
  };
}

/** What everybody sees alike of the feed. */
function publicFeed(inFeed: Pick<PublicReplyOptions<never>, "cache" | "under" | "ttl" | "settle">) {
  return {
    search: publicReply<ReturnType<typeof spelledOut>>({
      ...inFeed,
      name: "feed:search",
      prefix: `${feed}:search`,
      key: paramsKey(),
      params: (request) => {
        const { data } = listingSearchQuery.safeParse(queryOf(request));
        return data && spelledOut(data);
      },
    }),
    recommended: publicReply<RecommendedQuery>({
      ...inFeed,
      name: "feed:recommended",
      prefix: `${feed}:recommended`,
      key: paramsKey(),
      params: (request) => recommendedQuery.safeParse(queryOf(request)).data,
    }),
  };
}

const marks: Readonly<Record<ReadOutcome, string>> = {
  l1: "HIT",
  hit: "HIT",
  stale: "STALE",
  miss: "MISS",
  coalesced: "MISS",
  failed: "MISS",
  bypass: "BYPASS",
  degraded: "BYPASS",
};

/** `X-Cache` for where a value came from. */
export function xCache(outcome: ReadOutcome): string {
  return marks[outcome];
}
