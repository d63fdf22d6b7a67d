import { md5Key, pathKey, type CacheScope, type Rules } from "@sluice/cache";
import { queryOf, type CacheGuard } from "@sluice/cache/http";
import type { HttpGuard } from "@sluice/http";
import type { z } from "zod";

import type { ModuleCache } from "../../cache/caching.ts";
import { idInPath } from "../../cache/path-id.ts";
import { publicReply, type PublicReplyOptions } from "../../cache/public-reply.ts";
import { facetQuery, productListQuery, productSearchQuery } from "./product-queries.ts";
import type { Product } from "./product.ts";
import type { ProductRepository } from "./repository.ts";

/** What happens to products, as far as what is cached depends on it. */
export interface ProductEvents {
  readonly created: { readonly id: string };
  readonly updated: { readonly id: string };
  /** It has another category. */
  readonly moved: { readonly id: string; readonly before: string; readonly after: string };
  readonly deleted: { readonly id: string };
  readonly imported: object;
  /** A rollup has counted all of them. */
  readonly counted: object;
}

/** What of products is cached, and what ends it. */
export interface ProductCache {
  /** Replies to `GET /products`. */
  readonly list: HttpGuard;
  /** Replies to `GET /products/search`. */
  readonly search: HttpGuard;
  /** Replies to `GET /products/search/facets`. */
  readonly facets: HttpGuard;
  /** Replies to `GET /products/:id`. */
  readonly detail: HttpGuard;
  /** Products, for those whose replies are not shared. */
  readonly payloads: Pick<CacheScope<string, Product | undefined>, "get">;
  readonly rules: Rules<ProductEvents>;
}

const prefix = "cache:products";

/** Caches products before a repository. */
export function productCache(moduleCache: ModuleCache, repository: Pick<ProductRepository, "byId">): ProductCache {
  const { cache, ttlMs, settleMs: settle } = moduleCache;
  const shared = { cache, prefix, ttl: ttlMs.default, settle };
  const lists = listsOf(shared);
  const { list, search, facets } = lists;
  const detail = publicReply<string>({ ...shared, name: "products.detail", key: pathKey(), params: idInPath });
  const payloads = cache.scope<string, Product | undefined>("product", {
    prefix: "product",
    key: pathKey(),
    ttl: ttlMs.default,
    settle,
    // What is not there is not kept: it may be there in a moment.
    load: (id) => repository.byId(id),
  });
  const one = (id: string) => [payloads.entry(id), detail.entry(id)];
  const every = () => [list.all(), search.all(), facets.group({ counted: "now" })];
  const rules = cache.rules<ProductEvents>({
    created: every,
    updated: ({ id }) => [...one(id), ...every()],
    moved: ({ id, before, after }) => [
      ...one(id),
      ...[before, after, null].flatMap((category) => Object.values(lists).map((each) => each.group({ category }))),
    ],
    deleted: ({ id }) => [...one(id), ...every()],
    imported: () => [cache.prefix(prefix), cache.prefix("product")],
    counted: () => [facets.group({ counted: "by a rollup" })],
  });
  return { ...lists, detail, payloads, rules };
}

type Shared = Pick<PublicReplyOptions<never>, "cache" | "prefix" | "ttl" | "settle">;

/** What shows many products. What is of every category has a group, too: products that move are in it. */
function listsOf(shared: Shared) {
  return {
    list: listReply(shared, "products.list", productListQuery),
    search: listReply(shared, "products.search", productSearchQuery),
    facets: publicReply<z.output<typeof facetQuery>>({
      ...shared,
      name: "products.facets",
      key: md5Key(),
      params: (request) => facetQuery.safeParse(queryOf(request)).data,
      // Without words they are what the last rollup has counted, whatever happens to products.
      groups: ({ q, category = null }) => (q === undefined ? { counted: "by a rollup" } : { counted: "now", category }),
    }),
  };
}

function listReply<Query extends { readonly category?: string | undefined }>(
  shared: Shared,
  name: string,
  query: z.ZodType<Query>,
): CacheGuard<Query> {
  return publicReply<Query>({
    ...shared,
    name,
    key: md5Key(),
    params: (request) => query.safeParse(queryOf(request)).data,
    groups: ({ category = null }) => ({ category }),
  });
}
