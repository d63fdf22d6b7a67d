// Starts a primitive: `pnpm run new <name>` copies a small package whose laws, README and failure table fail until
// they are written.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const tools = path.dirname(fileURLToPath(import.meta.url));

/** Copies the template to `<packages>/<name>` and returns the new folder. Refuses a name that is taken or malformed. */
export function scaffold(name: string, packages: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new Error(`A package name is kebab-case, got "${name}".`);
  const folder = path.join(packages, name);
  const words = name.split("-");
  const pascal = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
  const camel = pascal[0]?.toLowerCase() + pascal.slice(1);
  const fill = (text: string): string =>
    text.replaceAll("__name__", name).replaceAll("__Name__", pascal).replaceAll("__camel__", camel);
  const template = path.join(tools, "new", "template");
  mkdirSync(packages, { recursive: true });
  mkdirSync(folder);
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = path.join(entry.parentPath, entry.name);
    // The template's names end in .txt, so that no tool takes them for the project's own sources.
    const to = path.join(folder, fill(path.relative(template, from)).replace(/\.txt$/, ""));
    mkdirSync(path.dirname(to), { recursive: true });
    writeFileSync(to, fill(readFileSync(from, "utf8")));
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = ""] = process.argv.slice(2);
  const folder = scaffold(name, path.resolve(tools, "../packages"));
  console.log(`${path.relative(process.cwd(), folder)} is there. What now fails, in the order to write it:`);
  console.log("  1. README.md: the sentence, the program, the failure table");
  console.log("  2. src/laws.ts: what every store must do");
  console.log("  3. tests/repository/import-map.ts: the package's place on the map");
  console.log("Then `npx pnpm install` once, so that the lockfile knows it, and `npm test`.");
}
