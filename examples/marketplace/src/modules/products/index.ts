import type { InvalidationTarget } from "@sluice/cache";
import type { HttpGuard } from "@sluice/http";
import type { SqlDatabase } from "@sluice/postgres";

import type { ModuleCache } from "../../cache/caching.ts";
import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { productCache } from "./product-cache.ts";
import { productRepository } from "./repository.ts";
import { productRoutes } from "./routes.ts";
import { productService } from "./service.ts";
import { productWriteRepository } from "./write-repository.ts";
import { productImportRoute, productWriteRoutes } from "./write-routes.ts";
import { productWriteService } from "./write-service.ts";

export { productCards, type ProductCards } from "./cards.ts";
export { facetQuery } from "./product-queries.ts";
export { productCard, type ProductCard } from "./product.ts";

/** What products stand on. */
export interface ProductsModuleOptions {
  /** Reads that may be a little older. */
  readonly reads: SqlDatabase;
  readonly cache: ModuleCache;
  readonly guards: Guards;
}

/** Products: lists, search, one by id, and their writes. */
export interface ProductsModule {
  routes(options: { readonly forgivesMisspelling: boolean }): (server: Server) => void;
  /** Answers facets over products from the cache. */
  readonly facets: HttpGuard;
  /** What a rollup makes untrue. */
  counted(): InvalidationTarget[];
}

/** Products over a database. */
export function productsModule({ reads, cache: moduleCache, guards }: ProductsModuleOptions): ProductsModule {
  const reading = productRepository(reads);
  const cache = productCache(moduleCache, reading);
  const repository = productWriteRepository(moduleCache.changes, cache.rules);
  const writes = productWriteService(repository);
  return {
    routes({ forgivesMisspelling }) {
      const service = productService({ repository: reading, payloads: cache.payloads, forgivesMisspelling });
      return (server) => {
        productRoutes(server, service, cache);
        productWriteRoutes(server, writes, guards);
        productImportRoute(server, repository, guards);
      };
    },
    facets: cache.facets,
    counted: () => cache.rules.plan("counted", {}),
  };
}
