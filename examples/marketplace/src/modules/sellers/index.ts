import type { Sql } from "@sluice/postgres";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { sellerRepository } from "./repository.ts";
import { sellerRoutes } from "./routes.ts";
import { sellerService } from "./service.ts";

/** Sellers: opening a shop. */
export function sellersModule(sql: Sql, guards: Guards): (server: Server) => void {
  const service = sellerService(sellerRepository(sql));
  return (server) => sellerRoutes(server, service, guards);
}
