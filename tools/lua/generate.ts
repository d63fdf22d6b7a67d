import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { lintFile, lintScript } from "./lint.ts";
import { assemble, isPart, type ReadLua } from "./parts.ts";
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
  instead: ReadLua = () => undefined,
): { readonly modules: Generated[]; readonly problems: string[] } {
  const texts = new Map(luaFilesBelow(packages).map((file) => [file, instead(file) ?? readFileSync(file, "utf8")]));
  const problems: string[] = [];
  const note = (file: string, sentences: readonly string[]): void => {
    problems.push(...sentences.map((sentence) => `${path.relative(packages, file)}: ${sentence}`));
  };
  const unused = new Set(texts.keys());
  const scripts: LuaFile[] = [];
  for (const [file, text] of texts) {
    const name = path.basename(file, ".lua");
    note(file, lintFile(name, text));
    if (isPart(text)) continue;
    const { source, parts, problems: missing } = assemble(file, (part) => texts.get(part));
    for (const { file: from, problem } of missing) note(from, [problem]);
    note(file, lintScript(name, source));
    for (const used of [file, ...parts]) unused.delete(used);
    scripts.push({ file, script: parseLua(name, source) });
  }
  for (const file of unused) note(file, ["is a part, and nothing includes it"]);
  return { modules: modulesOf(scripts, packages), problems };
}

interface LuaFile {
  readonly file: string;
  readonly script: LuaScript;
}

function modulesOf(scripts: readonly LuaFile[], packages: string): Generated[] {
  const folders = Map.groupBy(scripts, ({ file }) => path.dirname(file));
  return [...folders].map(([folder, files]) => ({
    file: moduleFor(folder),
    text: moduleText(
      files.map(({ script }) => script),
      path.relative(packages, folder),
    ),
  }));
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
      .filter((file) => file.endsWith(".lua"))
      .toSorted(),
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
