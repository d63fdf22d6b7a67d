import type { Page } from "../../http/envelope.ts";
import { invalidFields, notFound } from "../../http/failure.ts";
import type { Principal } from "../../http/principal.ts";
import type { PageRequest } from "../../paging/read-page.ts";
import type { Listing, ListingCard, MarkedListingCard } from "./listing.ts";
import type { ColumnSort, ListingFilter, ListingLists, ListingRepository } from "./repository.ts";

/** A search as a client asks for it. */
export interface ListingQuery extends ListingFilter {
  readonly q?: string | undefined;
  /** Default: `relevance` with words, `newest` without. */
  readonly sort?: ColumnSort | "relevance" | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** What can be asked about public listings. */
export interface ListingService {
  search(query: ListingQuery): Promise<Page<ListingCard>>;
  /** The same with a mark on one's own. Approved listings alone, whoever asks. */
  searchAs(principal: Principal, query: ListingQuery): Promise<Page<MarkedListingCard>>;
  /** What to show somebody whom nobody knows. */
  recommended(request: ListingFilter & PageRequest): Promise<Page<ListingCard>>;
  /** @throws a 404 where there is none, or it is not approved. */
  byId(id: string): Promise<Listing>;
}

/** The rules over a repository. */
export function listingService(repository: ListingRepository, forgivesMisspelling: boolean): ListingService {
  return {
    search: (query) => searched(repository, query, forgivesMisspelling),
    searchAs: ({ sellerId }, query) => searched(repository.markedFor(sellerId), query, forgivesMisspelling),
    recommended: (request) => repository.recommended(request),
    async byId(id) {
      const found = await repository.byId(id);
      if (found === undefined) throw notFound("Listing");
      return found;
    },
  };
}

async function searched<Card>(
  repository: ListingLists<Card>,
  { q, sort = q === undefined ? "newest" : "relevance", ...request }: ListingQuery,
  forgivesMisspelling: boolean,
): Promise<Page<Card>> {
  if (sort !== "relevance") return repository.list({ ...request, q, sort });
  if (q === undefined) throw invalidFields([{ path: "query.sort", message: "relevance needs words in q" }]);
  const page = await repository.search({ ...request, q });
  if (page.items.length > 0 || request.cursor !== undefined || !forgivesMisspelling) return page;
  return { ...page, items: await repository.similar({ ...request, q }) };
}
