import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { createTestDatabase, service } from "@sluice/testing/vitest";
import { afterAll, describe, expect, it } from "vitest";

import { root } from "../repository/workspace.ts";
import { documentedExamples, withAssertions } from "./examples.ts";

const execute = promisify(execFile);
// Two runs may share a checkout.
const run = `run-${process.pid}`;
const examples = documentedExamples().map((example, index) => ({
  ...example,
  file: path.join(example.folder, ".examples", run, `example-${index}.ts`),
}));
const folders = new Set(examples.map(({ file }) => path.dirname(file)));

for (const { file, program } of examples) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, withAssertions(program));
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe("a documented program", () => {
  it("is found in every package", () => {
    expect(folders.size).toBeGreaterThan(2);
  });

  it("compiles as a user's module would", async () => {
    const config = path.join(root, "tests", ".examples", run, "tsconfig.json");
    mkdirSync(path.dirname(config), { recursive: true });
    folders.add(path.dirname(config));
    const compilerOptions = {
      noEmit: true,
      customConditions: ["sluice-source"],
      noUnusedLocals: false,
      types: ["node"],
    };
    const files = examples.map(({ file }) => file);
    writeFileSync(config, JSON.stringify({ extends: path.join(root, "tsconfig.base.json"), compilerOptions, files }));
    await expect(execute("tsc", ["-p", config])).resolves.toMatchObject({ stdout: "" });
  });

  it.concurrent.each(examples)("runs and keeps its promises: $place", { timeout: 60_000 }, async ({ file }) => {
    const env = { ...process.env, DATABASE_URL: await createTestDatabase(), REDIS_URL: service("redis").url };
    const program = execute(process.execPath, ["--conditions=sluice-source", file], { env, timeout: 60_000 });
    await expect(program).resolves.toBeDefined();
  });
});
