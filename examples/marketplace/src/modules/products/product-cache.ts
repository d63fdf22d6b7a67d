import { md5Key, pathKey, type CacheScope, type Rules } from "@sluice/cache";
import { queryOf } from "@sluice/cache/http";
import type { HttpGuard } from "@sluice/http";

import type { ModuleCache } from "../../cache/caching.ts";
import { idInPath } from "../../cache/path-id.ts";
import { publicReply } from "../../cache/public-reply.ts";
import { productListQuery, type ProductListQuery } from "./product-queries.ts";
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
}

/** What of products is cached, and what ends it. */
export interface ProductCache {
  /** Replies to `GET /products`. */
  readonly list: HttpGuard;
  /** Replies to `GET /products/:id`. */
  readonly detail: HttpGuard;
  /** Products, for those whose replies are not shared. */
  readonly payloads: Pick<CacheScope<string, Product | undefined>, "get">;
  readonly rules: Rules<ProductEvents>;
}

const prefix = "cache:products";

/** Caches products before a repository. */
export function productCache(
  { cache, ttlMs: { default: ttl }, settleMs: settle }: ModuleCache,
  repository: Pick<ProductRepository, "byId">,
): ProductCache {
  const list = publicReply<ProductListQuery>({
    cache,
    name: "products.list",
    prefix,
    key: md5Key(),
    params: (request) => productListQuery.safeParse(queryOf(request)).data,
    // A list of every category has a group, too: products that move are on it.
    groups: ({ category = null }) => ({ category }),
    ttl,
    settle,
  });
  const detail = publicReply<string>({
    cache,
    name: "products.detail",
    prefix,
    key: pathKey(),
    params: idInPath,
    ttl,
    settle,
  });
  const payloads = cache.scope<string, Product | undefined>("product", {
    prefix: "product",
    key: pathKey(),
    ttl,
    settle,
    // What is not there is not kept: it may be there in a moment.
    load: (id) => repository.byId(id),
  });
  const one = (id: string) => [payloads.entry(id), detail.entry(id)];
  const rules = cache.rules<ProductEvents>({
    created: () => [list.all()],
    updated: ({ id }) => [...one(id), list.all()],
    moved: ({ id, before, after }) => [
      ...one(id),
      ...[before, after, null].map((category) => list.group({ category })),
    ],
    deleted: ({ id }) => [...one(id), list.all()],
    imported: () => [cache.prefix(prefix), cache.prefix("product")],
  });
  return { list, detail, payloads, rules };
}
