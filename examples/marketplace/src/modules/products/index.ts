import type { Sql } from "@sluice/postgres";

import type { Server } from "../../http/server.ts";
import { productRepository } from "./repository.ts";
import { productRoutes } from "./routes.ts";
import { productService } from "./service.ts";

/** Products: lists, search, one by id. */
export function productsModule(sql: Sql, forgivesMisspelling: boolean): (server: Server) => void {
  const service = productService(productRepository(sql), forgivesMisspelling);
  return (server) => productRoutes(server, service);
}
