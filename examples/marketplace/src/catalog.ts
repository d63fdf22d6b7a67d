import { createOutbox } from "@sluice/cache/postgres";

import type { Caching } from "./cache/caching.ts";
import { cacheFlushRoute } from "./cache/flush-route.ts";
import type { Guards } from "./http/principal.ts";
import type { Server } from "./http/server.ts";
import type { Database } from "./infra/database.ts";
import { categoriesModule } from "./modules/categories/index.ts";
import { listingsModule } from "./modules/listings/index.ts";
import { productsModule } from "./modules/products/index.ts";
import { sellersModule } from "./modules/sellers/index.ts";
import { forgivesMisspelling } from "./paging/relevance.ts";

/** Who sells, and what; and what of it is cached. */
export interface Catalog {
  /** The work of the job `catalog_rollup`. Safe to run twice. */
  readonly rollUp: () => Promise<void>;
  /** One round trip: what searches can do depends on the database. */
  routes(): Promise<readonly ((server: Server) => void)[]>;
}

/** Makes and connects the catalog. */
export function createCatalog(database: Database, cache: Caching, guards: Guards): Catalog {
  // Who has counted the catalog reads the new counts; others may read what is a little older.
  const counting = database.session();
  const { sql, reads } = database;
  const options = { reads, cache, guards };
  const products = productsModule(options);
  const listings = listingsModule(options);
  const categories = categoriesModule({
    reads: counting.reads,
    changes: createOutbox({ db: counting.sql, cache: cache.cache }),
    counted: () => [...products.counted(), ...listings.counted()],
    facets: products.facets,
  });
  const flush = (server: Server): void => cacheFlushRoute(server, cache.cache, guards);
  return {
    rollUp: categories.rollUp,
    async routes() {
      const searching = { forgivesMisspelling: await forgivesMisspelling(sql) };
      const goods = [products, listings].map((module) => module.routes(searching));
      return [categories.routes, sellersModule(sql, guards), ...goods, flush];
    },
  };
}
