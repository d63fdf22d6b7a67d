import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";

/** The folder that holds the workspace's manifest. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** The part of a package.json that the repository's own tests read. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A package of the workspace. */
export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The packages below `packages` or `examples`. */
export function packagesIn(group: "packages" | "examples"): Package[] {
  return readdirSync(path.join(root, group), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const folder = path.join(root, group, entry.name);
      return { folder, manifest: JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest };
    });
}

/** The files below a folder whose name matches, installed and built ones left out. Empty where there is no folder. */
export function filesBelow(folder: string, name: RegExp): string[] {
  const skipped = new Set(["node_modules", "dist", ".examples", ".sluice"]);
  const walk = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      const full = path.join(at, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : walk(full);
      return name.test(entry.name) ? [full] : [];
    });
  return walk(folder).toSorted();
}

/** The module specifiers that a TypeScript source imports, in any form. */
export function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map((imported) => imported.fileName);
}

/** The source files behind a package's public entry points, by subpath. */
export function entryPoints({ folder, manifest }: Package): Map<string, string> {
  const entries = Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === "object" ? target["sluice-source"] : undefined;
    return source === undefined ? [] : [[subpath, path.join(folder, source)] as const];
  });
  return new Map(entries);
}
