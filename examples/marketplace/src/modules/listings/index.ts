import type { SqlDatabase } from "@sluice/postgres";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { listingRepository } from "./repository.ts";
import { listingRoutes } from "./routes.ts";
import { listingService } from "./service.ts";
import { listingWriteRepository } from "./write-repository.ts";
import { listingAdminRoutes, listingImportRoute, listingWriteRoutes } from "./write-routes.ts";
import { listingWriteService } from "./write-service.ts";

/** What listings stand on. */
export interface ListingsModuleOptions {
  /** The primary. */
  readonly sql: SqlDatabase;
  /** Reads that may be a little older. */
  readonly reads: SqlDatabase;
  readonly guards: Guards;
  readonly forgivesMisspelling: boolean;
}

/** Listings: the public search, one by id, and their writes. */
export function listingsModule(options: ListingsModuleOptions): (server: Server) => void {
  const { sql, reads, guards, forgivesMisspelling } = options;
  const service = listingService(listingRepository(reads), forgivesMisspelling);
  const repository = listingWriteRepository(sql);
  const writes = listingWriteService(repository);
  return (server) => {
    listingRoutes(server, service);
    listingWriteRoutes(server, writes, guards);
    listingAdminRoutes(server, writes, guards);
    listingImportRoute(server, repository, guards);
  };
}
