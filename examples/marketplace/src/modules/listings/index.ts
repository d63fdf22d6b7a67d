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
  readonly forgivesMisspelling: boolean;
}

/** Listings: the public search, one by id, and their writes. */
export function listingsModule(options: ListingsModuleOptions): (server: Server) => void {
  const { reads, cache: moduleCache, guards, forgivesMisspelling } = options;
  const service = listingService(listingRepository(reads), forgivesMisspelling);
  const cache = listingCache(moduleCache, service);
  const repository = listingWriteRepository(moduleCache.changes, cache.rules);
  const writes = listingWriteService(repository);
  return (server) => {
    listingRoutes(server, service, cache);
    ownSearchRoute(server, cache, guards);
    listingWriteRoutes(server, writes, guards);
    listingAdminRoutes(server, writes, guards);
    listingImportRoute(server, repository, guards);
  };
}
