import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { errorCodes, publicNames } from "./public-api.ts";
import { readmeOf } from "./readme.ts";
import { filesBelow, packagesIn, root } from "./workspace.ts";

const packages = packagesIn("packages");

describe("public documentation", () => {
  it("explains every exported name and member", () => {
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
  const titles = testTitles(folder);

  it("opens with one sentence, one program and one failure table", () => {
    expect(readme.title).toBe(manifest.name);
    expect(readme.sentence).toMatch(/^[A-Z].*\.$/);
    expect(readme.program).toMatch(new RegExp(`from "${manifest.name}[/"]`));
    expect(readme.firstScreenLines).toBeLessThanOrEqual(60);
  });

  it("has a test for every row of the failure table", () => {
    expect(readme.failures.length).toBeGreaterThan(0);
    const untested = readme.failures.filter((when) => !titles.some((title) => title.includes(when.toLowerCase())));
    expect(untested).toEqual([]);
  });
});

/** The text between quotes after `it(` and `title:`, in lower case: a row's words must stand in one of them. */
function testTitles(folder: string): string[] {
  const test = path.join(folder, "test");
  const sources = [
    ...(existsSync(test) ? filesBelow(test, /\.ts$/) : []),
    ...filesBelow(path.join(folder, "src"), /laws.*\.ts$/),
  ];
  return sources
    .map((file) => readFileSync(file, "utf8"))
    .flatMap((text) =>
      [...text.matchAll(/(?:\bit(?:\.\w+)?\(|title:)\s*(["'`])(.*?)\1/gs)].map((match) => match[2] ?? ""),
    )
    .map((title) => title.toLowerCase());
}
