import type { Mutant } from "./mutant.ts";

/** Defects in the repository's own checks. */
export const repositoryMutants: readonly Mutant[] = [
  {
    name: "boundaries: the whole package may import a store",
    file: "tests/repository/import-map.ts",
    find: 'return subpath === undefined ? ["core"] : ["core", subpath];',
    replace: 'return ["core", ...subpaths];',
    killedBy: "tests/repository/boundaries.test.ts > refuses a store's package outside of the store's subpath",
    reason: "The map is easier to write per package than per subpath.",
  },
  {
    name: "boundaries: dynamic imports are not seen",
    file: "tests/repository/workspace.ts",
    find: "return ts.preProcessFile(source, true, true).importedFiles.map((imported) => imported.fileName);",
    replace: 'return [...source.matchAll(/^import .*"(.+)";$/gm)].map((match) => match[1] ?? "");',
    killedBy: "tests/repository/boundaries.test.ts > refuses a store's package outside of the store's subpath",
    reason: "A regular expression over import statements looks sufficient.",
  },
];
