import type { Sql } from "@sluice/postgres";

import type { Server } from "../../http/server.ts";
import { categoryRepository } from "./repository.ts";
import { categoryRoutes } from "./routes.ts";
import { categoryService } from "./service.ts";

/** Categories: their list, facets over products, and the job that counts both. */
export interface CategoriesModule {
  readonly routes: (server: Server) => void;
  /** The work of the job `catalog_rollup`. Safe to run twice. */
  readonly rollUp: () => Promise<void>;
}

/** Categories over a database. */
export function categoriesModule(sql: Sql): CategoriesModule {
  const service = categoryService(categoryRepository(sql));
  return { routes: (server) => categoryRoutes(server, service), rollUp: () => service.rollUp() };
}
