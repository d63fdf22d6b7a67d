import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

const folder = new URL("../src/", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

function code(file: string): string {
  const source = readFileSync(new URL(file, folder), "utf8");
  return source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

describe("the sources of http", () => {
  it("use a global that only Node has in the subpath ./node alone", () => {
    const nodeOnly = /(?<![.\w"'`])(?:process|Buffer|setImmediate|global|__dirname)\b(?=[.(])/;
    const users = files.filter((file) => nodeOnly.test(code(file)));
    expect(users.filter((file) => !file.startsWith("node/"))).toEqual([]);
  });

  it("reach the subpath ./node from nowhere else", () => {
    const reaching = files.filter((file) => !file.startsWith("node/") && /from "[./]*\/node\//.test(code(file)));
    expect(reaching).toEqual([]);
  });
});
