import type { InvalidationTarget } from "@sluice/cache";
import type { SqlDatabase } from "@sluice/postgres";

import type { ModuleCache } from "../../cache/caching.ts";
import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { listingCache } from "./listing-cache.ts";
import { listingRepository } from "./repository.ts";
import { listingRoutes, ownSearchRoute } from "./routes.ts";
import { listingService } from "./service.ts";
import { listingWriteRepository } from "./write-repository.ts";
import { listingAdminRoutes, listingImportRoute, listingWriteRoutes } from "./write-routes.ts";
import { listingWriteService } from "./write-service.ts";

/** What listings stand on. */
export interface ListingsModuleOptions {
  /** Reads that may be a little older. */
  readonly reads: SqlDatabase;
  readonly cache: ModuleCache;
  readonly guards: Guards;
}

/** Listings: the public search, what is recommended, one by id, and their writes. */
export interface ListingsModule {
  routes(options: { readonly forgivesMisspelling: boolean }): (server: Server) => void;
  /** What a rollup makes untrue. */
  counted(): InvalidationTarget[];
}

/** Listings over a database. */
export function listingsModule({ reads, cache: moduleCache, guards }: ListingsModuleOptions): ListingsModule {
  const cache = listingCache(moduleCache);
  const repository = listingWriteRepository(moduleCache.changes, cache.rules);
  const writes = listingWriteService(repository);
  return {
    routes({ forgivesMisspelling }) {
      const service = listingService(listingRepository(reads), forgivesMisspelling);
      return (server) => {
        listingRoutes(server, service, cache);
        ownSearchRoute(server, { service, cache, guards });
        listingWriteRoutes(server, writes, guards);
        listingAdminRoutes(server, writes, guards);
        listingImportRoute(server, repository, guards);
      };
    },
    counted: () => cache.rules.plan("counted", {}),
  };
}
