import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { errorCodes, publicNames } from "./public-api.ts";
import { readmeOf } from "./readme.ts";
import { filesBelow, packagesIn, root } from "./workspace.ts";

const packages = packagesIn("packages");

describe("public documentation", () => {
  it("explains every exported name", () => {
    const names = publicNames();
    expect(names.length).toBeGreaterThan(packages.length);
    expect(names.filter(({ documented }) => !documented).map(({ name }) => name)).toEqual([]);
  });

  it("lists every error code, and none that is gone", () => {
    const sources = packages.flatMap(({ folder }) => filesBelow(path.join(folder, "src"), /\.ts$/));
    const thrown = errorCodes(sources.map((file) => readFileSync(file, "utf8")));
    const listed = errorCodes([readFileSync(path.join(root, "docs/errors.md"), "utf8")]);
    expect([...listed].toSorted()).toEqual([...thrown].toSorted());
  });
});

describe.each(packages)("the README of $manifest.name", ({ folder, manifest }) => {
  const readme = readmeOf(folder);

  it("opens with one sentence, one program and one failure table", () => {
    expect(readme.title).toBe(manifest.name);
    expect(readme.sentence).toMatch(/^[A-Z].*\.$/);
    expect(readme.program).toMatch(new RegExp(`from "${manifest.name}[/"]`));
    expect(readme.firstScreenLines).toBeLessThanOrEqual(60);
  });

  it("has a test for every row of the failure table", () => {
    const proofs = failureProofs(folder);
    expect(readme.failures.length).toBeGreaterThan(0);
    expect(Object.keys(proofs)).toEqual(readme.failures);
    expect(Object.values(proofs).filter((proof) => !isProven(folder, proof))).toEqual([]);
  });
});

/** Which test proves which row: `test/failure-table.json`, from the row's first cell to "file > title". */
function failureProofs(folder: string): Record<string, string> {
  const file = path.join(folder, "test/failure-table.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

function isProven(folder: string, proof: string): boolean {
  const [file = "", title = ""] = proof.split(" > ");
  const source = path.join(folder, "test", file);
  return (
    title !== "" && existsSync(source) && readFileSync(source, "utf8").includes(JSON.stringify(title).slice(1, -1))
  );
}
