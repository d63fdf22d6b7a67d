import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";

import { describe, expect, it } from "vitest";

const folder = new URL("../src/", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

// Static imports, re-exports, dynamic imports and require, wherever they stand.
const specifier = /(?<!["'])\b(?:from|import|require)\s*\(?\s*["'](?<name>[^"'\n]+)["']/g;

function code(file: string): string {
  const source = readFileSync(new URL(file, folder), "utf8");
  return source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

function importsOf(file: string): string[] {
  return [...code(file).matchAll(specifier)].map((match) => match.groups?.["name"] ?? "");
}

describe("the sources of core", () => {
  it("import Node in channel.node.ts alone", () => {
    const importers = files.filter((file) => importsOf(file).some((name) => isBuiltin(name)));
    expect(importers).toEqual(["channel.node.ts"]);
  });

  it("import nothing but each other", () => {
    const foreign = files.flatMap(importsOf).filter((name) => !/^(?:#channel$|\.\/)/.test(name) && !isBuiltin(name));
    expect(foreign).toEqual([]);
  });

  it("reach channel.node.ts only through the import condition", () => {
    expect(files.filter((file) => importsOf(file).includes("./channel.node.ts"))).toEqual([]);
    expect(files.filter((file) => importsOf(file).includes("#channel"))).toEqual(["telemetry.ts"]);
  });

  it("use no global that only Node has", () => {
    const nodeOnly = /(?<![.\w"'`])(?:process|Buffer|setImmediate|global|__dirname)\b(?=[.(])/;
    expect(files.filter((file) => nodeOnly.test(code(file)))).toEqual([]);
  });
});
