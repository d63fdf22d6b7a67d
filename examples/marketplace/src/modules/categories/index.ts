import type { InvalidationTarget } from "@sluice/cache";
import type { HttpGuard } from "@sluice/http";
import type { SqlDatabase } from "@sluice/postgres";

import type { Changes } from "../../cache/caching.ts";
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

/** What categories stand on. */
export interface CategoriesModuleOptions {
  /** Reads that see what was counted in this process. */
  readonly reads: SqlDatabase;
  /** Counts are written with these. */
  readonly changes: Changes;
  /** What is cached of counts. */
  readonly counted: () => readonly InvalidationTarget[];
  /** Answers facets from the cache. */
  readonly facets: HttpGuard;
}

/** Categories over a database. */
export function categoriesModule({ reads, changes, counted, facets }: CategoriesModuleOptions): CategoriesModule {
  const service = categoryService(categoryRepository(reads));
  return {
    routes: (server) => categoryRoutes(server, service, facets),
    rollUp: () =>
      changes.transaction(async (transaction, invalidate) => {
        await categoryRepository(transaction).rollUp();
        invalidate(counted());
      }),
  };
}
