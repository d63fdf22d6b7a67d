import { readMigrations, type Migration } from "@sluice/postgres";

export { postgresStore, type PostgresInventoryStore, type PostgresStoreOptions } from "./postgres/store.ts";

/** Which migrations {@link inventoryMigrations} reads. */
export interface InventoryMigrationsOptions {
  /** Whether PL/pgSQL functions are installed, which `postgresStore` calls unless it is `plain`. Default `true`. */
  readonly functions?: boolean;
}

/**
 * The tables of this package, for `migrate(db, { package: "inventory", migrations: await inventoryMigrations() })`. They
 * are files beside the package's code: where that is bundled, ship the folder `migrations`.
 */
export async function inventoryMigrations({ functions = true }: InventoryMigrationsOptions = {}): Promise<
  readonly Migration[]
> {
  const migrations = await readMigrations(new URL("../migrations/", import.meta.url));
  return functions ? migrations : migrations.filter(({ name }) => !name.endsWith("_functions"));
}
