import type { SqlDatabase } from "@sluice/postgres";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
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
  /** The primary. */
  readonly sql: SqlDatabase;
  /** Reads that may be a little older. */
  readonly reads: SqlDatabase;
  readonly guards: Guards;
  readonly forgivesMisspelling: boolean;
}

/** Products: lists, search, one by id, and their writes. */
export function productsModule(options: ProductsModuleOptions): (server: Server) => void {
  const { sql, reads, guards, forgivesMisspelling } = options;
  const service = productService(productRepository(reads), forgivesMisspelling);
  const repository = productWriteRepository(sql);
  const writes = productWriteService(repository);
  return (server) => {
    productRoutes(server, service);
    productWriteRoutes(server, writes, guards);
    productImportRoute(server, repository, guards);
  };
}
