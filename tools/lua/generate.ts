import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { lintLua } from "./lint.ts";
import { countOf, parseLua, sha1Of, type LuaScript } from "./script.ts";

/** A generated module and where it belongs. */
export interface Generated {
  readonly file: string;
  readonly text: string;
}

/**
 * What the Lua files of the packages below a folder amount to: the modules to write, and what is wrong with the files.
 *
 * @param instead - Gives another text than the one on disk for a file, or `undefined`.
 */
export function generateScripts(
  packages: string,
  instead: (file: string) => string | undefined = () => undefined,
): { readonly modules: Generated[]; readonly problems: string[] } {
  const folders = Map.groupBy(luaFilesBelow(packages), (file) => path.dirname(file));
  const modules: Generated[] = [];
  const problems: string[] = [];
  for (const [folder, files] of folders) {
    const scripts = files.toSorted().map((file) => {
      const name = path.basename(file, ".lua");
      const source = instead(file) ?? readFileSync(file, "utf8");
      problems.push(...lintLua(name, source).map((problem) => `${path.relative(packages, file)}: ${problem}`));
      return parseLua(name, source);
    });
    modules.push({ file: moduleFor(folder), text: moduleText(scripts, path.relative(packages, folder)) });
  }
  return { modules, problems };
}

/** The files that `--check` finds missing or out of date. */
export function driftOf(modules: readonly Generated[]): string[] {
  return modules
    .filter(({ file, text }) => !existsSync(file) || readFileSync(file, "utf8") !== text)
    .map(({ file }) => file);
}

function luaFilesBelow(packages: string): string[] {
  return readdirSync(packages).flatMap((name) =>
    ["src", "lua"]
      .map((part) => path.join(packages, name, part))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => path.join(folder, file)),
      )
      .filter((file) => file.endsWith(".lua")),
  );
}

// A package's own folder "lua" is next to src; elsewhere the module stands beside its Lua files.
function moduleFor(folder: string): string {
  const home =
    path.basename(folder) === "lua" && existsSync(path.join(folder, "../src")) ? path.join(folder, "../src") : folder;
  return path.join(home, "scripts.generated.ts");
}

function moduleText(scripts: readonly LuaScript[], folder: string): string {
  const port = folder.startsWith(`redis${path.sep}`) ? "./port.ts" : "@sluice/redis";
  return [
    "// Generated from Lua by `node tools/lua/generate.ts`. Do not edit.",
    `import type { Script } from "${port}";`,
    ...scripts.map(constant),
    "",
  ].join("\n");
}

function constant(script: LuaScript): string {
  const { name, source, header } = script;
  const camel = name.replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
  const keys = countOf(script, "KEYS");
  const text = source.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  return `
/** ${(header[0] ?? name).replace(`${name}: `, "").replace(/^./, (letter) => letter.toUpperCase())} */
export const ${camel}Script: Script = {
  name: ${JSON.stringify(name)},
  sha1: ${JSON.stringify(sha1Of(source))},
${keys === undefined ? "" : `  keys: ${keys},\n`}  source: \`${text}\`,
};`;
}

function main(root: string, check: boolean): number {
  const places = ["packages", "examples"].map((folder) => generateScripts(path.join(root, folder)));
  const [modules, problems] = [places.flatMap((place) => place.modules), places.flatMap((place) => place.problems)];
  const stale = driftOf(modules);
  if (!check) for (const { file, text } of modules) writeFileSync(file, text);
  const drift = check
    ? stale.map((file) => `${path.relative(root, file)} is not what its Lua says: run tools/lua/generate.ts`)
    : [];
  for (const problem of [...problems, ...drift]) console.error(problem);
  return problems.length + drift.length === 0 ? 0 : 1;
}

if (import.meta.main)
  process.exitCode = main(path.resolve(import.meta.dirname, "../.."), process.argv.includes("--check"));
