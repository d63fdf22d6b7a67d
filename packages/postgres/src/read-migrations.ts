import { readdir, readFile } from "node:fs/promises";

import { checkedMigrations, type Migration } from "./migration.ts";

/**
 * Reads the files `NNNN_name.sql` of a folder, sorted by name. Other files are left alone. Bundlers do not see what it
 * reads: where the code is bundled, ship the folder beside it.
 *
 * @param folder - A `file:` URL that ends in `/`, such as `new URL("./migrations/", import.meta.url)`.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a `.sql` file with another name, an empty one, and a number given twice.
 */
export async function readMigrations(folder: URL): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql"));
  const migrations = files.toSorted().map(async (file) => ({
    name: file.slice(0, -".sql".length),
    sql: await readFile(new URL(encodeURIComponent(file), folder), "utf8"),
  }));
  return checkedMigrations(await Promise.all(migrations));
}
