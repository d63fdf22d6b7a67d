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
export { productCard, type ProductCard } from "./product.ts";

/** What products stand on. */
export interface ProductsModuleOptions {
  /** Reads that may be a little older. */
  readonly reads: SqlDatabase;
  readonly cache: ModuleCache;
  readonly guards: Guards;
  readonly forgivesMisspelling: boolean;
}

/** Products: lists, search, one by id, and their writes. */
export function productsModule(options: ProductsModuleOptions): (server: Server) => void {
  const { reads, cache: moduleCache, guards, forgivesMisspelling } = options;
  const reading = productRepository(reads);
  const cache = productCache(moduleCache, reading);
  const service = productService({ repository: reading, payloads: cache.payloads, forgivesMisspelling });
  const repository = productWriteRepository(moduleCache.changes, cache.rules);
  const writes = productWriteService(repository);
  return (server) => {
    productRoutes(server, service, cache);
    productWriteRoutes(server, writes, guards);
    productImportRoute(server, repository, guards);
  };
}
