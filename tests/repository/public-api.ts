import path from "node:path";

import ts from "typescript";

import { entryPoints, packagesIn, root, type Package } from "./workspace.ts";

/** One thing that a package exports, or a member of it that its users see. */
export interface PublicName {
  /** `@sluice/core:parseDuration`, or `@sluice/core:Clock.now` for a member. */
  readonly name: string;
  readonly documented: boolean;
}

/** Every exported name of the workspace's packages, with the members of exported interfaces and classes. */
export function publicNames(): PublicName[] {
  const packages = packagesIn("packages");
  const files = packages.flatMap((packaged) =>
    [...entryPoints(packaged).values()].map((file) => absolute(packaged, file)),
  );
  const program = ts.createProgram(files, options());
  const checker = program.getTypeChecker();
  return packages.flatMap((packaged) =>
    [...entryPoints(packaged)].flatMap(([subpath, file]) => {
      const source = program.getSourceFile(absolute(packaged, file));
      const module = source && checker.getSymbolAtLocation(source);
      if (!module) throw new Error(`${packaged.manifest.name} exports nothing from ${subpath}`);
      const prefix = packaged.manifest.name + subpath.slice(1);
      return checker.getExportsOfModule(module).flatMap((symbol) => namesOf(symbol, prefix, checker));
    }),
  );
}

/** The literal codes of the error classes in the packages' sources. */
export function errorCodes(sources: readonly string[]): Set<string> {
  return new Set(sources.flatMap((source) => source.match(/ERR_SLUICE_[A-Z0-9_]+[A-Z0-9]/g) ?? []));
}

function namesOf(exported: ts.Symbol, prefix: string, checker: ts.TypeChecker): PublicName[] {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const name = `${prefix}:${exported.name}`;
  return [
    { name, documented: isDocumented(symbol, checker) },
    ...membersOf(symbol)
      .filter((member) => !isHidden(member))
      .map((member) => ({ name: `${name}.${member.name}`, documented: isDocumented(member, checker) })),
  ];
}

function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const declared = symbol.declarations?.some((each) => ts.isInterfaceDeclaration(each) || ts.isClassDeclaration(each));
  return declared ? [...(symbol.members?.values() ?? [])] : [];
}

function isHidden(member: ts.Symbol): boolean {
  const [declaration] = member.declarations ?? [];
  if (!declaration || ts.isTypeParameterDeclaration(declaration) || ts.isConstructorDeclaration(declaration))
    return true;
  const modifiers = ts.getCombinedModifierFlags(declaration);
  // A member that overrides has the text of what it overrides.
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
  return (modifiers & hidden) !== 0 || member.name.startsWith("__") || member.name.startsWith("#");
}

function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim().length > 0;
}

function absolute({ folder }: Package, file: string): string {
  return path.join(folder, file);
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
