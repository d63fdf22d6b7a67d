import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { entryPoints, packagesIn, root } from "../repository/workspace.ts";

const run = promisify(execFile);
const packages = packagesIn("packages");
const { packageManager } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  packageManager: string;
};
const pnpm = ["-y", "--prefer-offline", packageManager];
const consumer = mkdtempSync(path.join(tmpdir(), "sluice-packed-"));

beforeAll(async () => {
  const everyPackage = [...pnpm, "--recursive", "--filter", "./packages/*"];
  await run("npx", [...everyPackage, "run", "build"], { cwd: root });
  await run("npx", [...everyPackage, "pack", "--pack-destination", consumer], { cwd: root });
}, 120_000);

afterAll(() => rmSync(consumer, { recursive: true }));

function tarball(name: string): string {
  const prefix = `${name.replace("@", "").replace("/", "-")}-`;
  const file = readdirSync(consumer).find((each) => each.startsWith(prefix) && each.endsWith(".tgz"));
  if (!file) throw new Error(`${name} was not packed`);
  return path.join(consumer, file);
}

describe.each(packages)("the tarball of $manifest.name", ({ folder, manifest }) => {
  it("holds the build, the sources, the README and the licence only", async () => {
    const { stdout } = await run("tar", ["-tzf", tarball(manifest.name)]);
    const strangers = stdout.split("\n").filter((file) => file !== "" && !isExpected(file.replace("package/", "")));
    expect(strangers).toEqual([]);
    expect(stdout).toContain("package/README.md");
    expect(stdout).toContain("package/LICENSE");
  });

  it("satisfies publint", async () => {
    await expect(run("publint", ["--strict", tarball(manifest.name)], { cwd: folder })).resolves.toBeDefined();
  }, 60_000);

  it("resolves the types that it runs", async () => {
    const checked = run("attw", [tarball(manifest.name), "--profile", "esm-only", "--format", "ascii"], {
      cwd: folder,
    });
    await expect(checked).resolves.toBeDefined();
  }, 60_000);
});

describe("an application with the tarballs installed", () => {
  beforeAll(async () => {
    const dependencies = Object.fromEntries(
      packages.map(({ manifest }) => [manifest.name, `file:${tarball(manifest.name)}`]),
    );
    const application = { name: "consumer", private: true, dependencies, pnpm: {} };
    writeFileSync(path.join(consumer, "package.json"), JSON.stringify(application));
    const overrides = Object.entries(dependencies).map(([name, file]) => `  "${name}": "${file}"`);
    writeFileSync(path.join(consumer, "pnpm-workspace.yaml"), `packages: []\noverrides:\n${overrides.join("\n")}\n`);
    await run("npx", [...pnpm, "install", "--prefer-offline", "--ignore-scripts"], { cwd: consumer });
  }, 120_000);

  const core = packages.filter(({ manifest }) => Object.keys(manifest.peerDependencies ?? {}).length === 0);

  it.each(core)("imports $manifest.name, and requires it", async ({ manifest }) => {
    const { stdout: imported } = await run(process.execPath, ["-e", exportsOf(`await import("${manifest.name}")`)], {
      cwd: consumer,
    });
    const { stdout: required } = await run(process.execPath, ["-e", exportsOf(`require("${manifest.name}")`)], {
      cwd: consumer,
    });
    expect(Number(imported)).toBeGreaterThan(0);
    expect(required).toBe(imported);
  });
});

describe.each(packages)("the entry points of $manifest.name", (packaged) => {
  it("name a source for each built file", () => {
    const subpaths = Object.keys(packaged.manifest.exports ?? {}).filter((subpath) => subpath !== "./package.json");
    expect([...entryPoints(packaged).keys()]).toEqual(subpaths);
  });
});

function exportsOf(expression: string): string {
  return `(async () => console.log(Object.keys(${expression}).filter((name) => name !== "module.exports").length))()`;
}

function isExpected(file: string): boolean {
  return (
    /^(dist|src)\/.*\.(js|ts|map|sql|lua)$/.test(file) ||
    /^migrations\/\d{4}_\w+\.sql$/.test(file) ||
    ["package.json", "README.md", "LICENSE", "CHANGELOG.md"].includes(file)
  );
}
