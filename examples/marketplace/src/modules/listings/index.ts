import type { Sql } from "@sluice/postgres";

import type { Server } from "../../http/server.ts";
import { listingRepository } from "./repository.ts";
import { listingRoutes } from "./routes.ts";
import { listingService } from "./service.ts";

/** Listings: the public search, one by id. */
export function listingsModule(sql: Sql, forgivesMisspelling: boolean): (server: Server) => void {
  const service = listingService(listingRepository(sql), forgivesMisspelling);
  return (server) => listingRoutes(server, service);
}
