import path from "node:path";

import ts from "typescript";

import { entryPoints, packagesIn, root } from "./workspace.ts";

/** One thing that a package exports. */
export interface PublicName {
  /** `@sluice/core:parseDuration`. */
  readonly name: string;
  readonly documented: boolean;
}

/** Every exported name of the workspace's packages. */
export function publicNames(): PublicName[] {
  const packages = packagesIn("packages");
  const files = packages.flatMap((packaged) => [...entryPoints(packaged).values()]);
  const program = ts.createProgram(files, options());
  const checker = program.getTypeChecker();
  return packages.flatMap((packaged) =>
    [...entryPoints(packaged)].flatMap(([subpath, file]) => {
      const source = program.getSourceFile(file);
      const module = source && checker.getSymbolAtLocation(source);
      if (!module) throw new Error(`${packaged.manifest.name} exports nothing from ${subpath}`);
      const prefix = packaged.manifest.name + subpath.slice(1);
      return checker
        .getExportsOfModule(module)
        .map((symbol) => ({ name: `${prefix}:${symbol.name}`, documented: isDocumented(symbol, checker) }));
    }),
  );
}

/** The literal codes of the error classes in the packages' sources. */
export function errorCodes(sources: readonly string[]): Set<string> {
  return new Set(sources.flatMap((source) => source.match(/ERR_SLUICE_[A-Z0-9_]+[A-Z0-9]/g) ?? []));
}

function isDocumented(exported: ts.Symbol, checker: ts.TypeChecker): boolean {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim().length > 0;
}

function options(): ts.CompilerOptions {
  const config = path.join(root, "tsconfig.json");
  const { options: parsed } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, (file) => ts.sys.readFile(file)).config,
    ts.sys,
    root,
  );
  return parsed;
}
