import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { createPlanting } from "../src/mutants/planting.ts";

const execute = promisify(execFile);
const folder = path.join(import.meta.dirname, "fixtures", "mutants");

// Reads the first file in every way that there is, and imports the second.
const reader = `
  import fs, { readFile, readFileSync } from "node:fs";
  import * as later from "node:fs/promises";
  import { pathToFileURL } from "node:url";
  const [file, module] = process.argv.slice(-2);
  const called = await new Promise((resolve) => readFile(file, "utf8", (error, text) => resolve(text)));
  const texts = [called, readFileSync(file, "utf8"), String(fs.readFileSync(pathToFileURL(file)))];
  texts.push(await later.readFile(file, { encoding: "utf8" }), String(await fs.promises.readFile(file)));
  process.stdout.write(JSON.stringify([...texts, (await import(pathToFileURL(module))).take(1, 1)]));
`;

it("reaches a program that reads a file, in whatever way, or imports it", async () => {
  using planting = createPlanting();
  const [migration, module] = ["0001_stock.sql", "stock.ts"].map((name) => path.join(folder, name));
  const read = async (): Promise<unknown> => {
    const args = ["--input-type=module", "-e", reader, "--", migration ?? "", module ?? ""];
    // Without what this process may itself have been given.
    const NODE_OPTIONS = planting.environment.NODE_OPTIONS.split(" ").at(-1);
    const env = { ...process.env, ...planting.environment, NODE_OPTIONS };
    const { stdout } = await execute(process.execPath, args, { env });
    return JSON.parse(stdout);
  };
  const onDisk = "create table stock (id int primary key);\n";
  expect(await read()).toEqual([...Array.from({ length: 5 }, () => onDisk), 0]);
  planting.set(
    new Map([
      [migration ?? "", "ünique"],
      [module ?? "", "export const take = (a: number, b: number): number => a + b;"],
    ]),
  );
  expect(await read()).toEqual([...Array.from({ length: 5 }, () => "ünique"), 2]);
});
