import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { filesBelow, packagesIn, root } from "../repository/workspace.ts";

/** A fenced TypeScript program from the documentation. */
export interface Example {
  /** Where a reader finds it: file and line, relative to the repository. */
  readonly place: string;
  /** The folder whose dependencies it may import. */
  readonly folder: string;
  readonly program: string;
}

/** Every TypeScript fence in READMEs, guides and doc comments. */
export function documentedExamples(): Example[] {
  const packages = [...packagesIn("packages"), ...packagesIn("examples")].map(({ folder }) => folder);
  const inPackages = packages.flatMap((folder) => [
    ...fencesIn(path.join(folder, "README.md"), folder),
    ...filesBelow(path.join(folder, "src"), /\.ts$/).flatMap((file) => fencesIn(file, folder)),
  ]);
  const guides = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map((file) =>
    path.join(root, file),
  );
  const inGuides = [...guides, ...filesBelow(path.join(root, "docs"), /\.md$/)].flatMap((file) =>
    fencesIn(file, path.join(root, "tests")),
  );
  return [...inPackages, ...inGuides];
}

function fencesIn(file: string, folder: string): Example[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  // In a doc comment each line has a margin of " * ".
  return [...text.matchAll(/^([ \t]*(?:\*[ \t])?)```ts\n(.*?)^[ \t]*(?:\*[ \t])?```$/gms)].map(
    ({ index, 1: margin = "", 2: body = "" }) => ({
      place: `${path.relative(root, file)}:${text.slice(0, index).split("\n").length}`,
      folder,
      program: body
        .split("\n")
        .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.replace(/^[ \t]*\*$/, "")))
        .join("\n"),
    }),
  );
}

/**
 * The program with every promise that its comments make turned into an assertion: `expression; // => value` holds when
 * the awaited expression is deeply equal to the value.
 */
export function withAssertions(program: string): string {
  const checked = program.split("\n").map(asserting).join("\n");
  return checked === program ? program : `import assert from "node:assert/strict";\n${checked}`;
}

function asserting(line: string): string {
  const [, statement, expected] = /^(.*?);?\s+\/\/ => (.+)$/.exec(line) ?? [];
  if (statement === undefined) return line;
  const declared = /^\s*const (\w+) = /.exec(statement)?.[1];
  if (declared !== undefined) return `${statement}; assert.deepStrictEqual(${declared}, ${expected});`;
  return `assert.deepStrictEqual(await (${statement.replace(/^\s*await /, "")}), ${expected});`;
}
