import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { checkMutants, runMutants, type Mutant, type MutantReport, type MutantResult } from "@sluice/testing/mutants";
import { beforeAll, describe, expect, it } from "vitest";

import { planted } from "../src/mutants/mutant.ts";

const execute = promisify(execFile);
const fixtures = path.join(import.meta.dirname, "fixtures");
const root = path.join(fixtures, "mutants");
// Inherited by every program of this file's own run.
const marker = randomUUID();

const stock: Mutant = {
  name: "takes one too many",
  file: "stock.ts",
  find: "stock - wanted",
  replace: "-1",
  killedBy: "stock.fixture.ts > gives what is wanted",
  reason: "Off by one.",
};
const hangs: Mutant = {
  ...stock,
  name: "waits for itself",
  find: "if (!done)",
  replace: "if (done)",
  killedBy: "stock.fixture.ts > settles",
};
const inProgram = {
  ...stock,
  name: "in a program of its own",
  killedBy: "stock.fixture.ts > is counted in a program of its own",
};
const list: readonly Mutant[] = [
  // What these leave behind in a module would let the next control run fail.
  stock,
  inProgram,
  { ...stock, name: "is not noticed", killedBy: "stock.fixture.ts > gives something", replace: "stock - wanted + 0" },
  hangs,
  { ...hangs, name: "loops for ever", find: "left -= 1", replace: "left -= 0" },
  {
    ...inProgram,
    name: "never ends a program",
    file: "print-stock.ts",
    find: "process.stdout",
    replace: "setTimeout(() => {}, 60_000);\nprocess.stdout",
  },
  {
    ...stock,
    name: "after those that hang",
    find: "? stock",
    replace: "? 0",
    killedBy: "stock.fixture.ts > gives nothing that it has not",
  },
  { ...stock, name: "is noticed elsewhere", killedBy: "stock.fixture.ts > gives something", replace: "stock - 1" },
  {
    ...stock,
    name: "in SQL",
    file: "0001_stock.sql",
    find: " primary key",
    replace: "",
    killedBy: "stock.fixture.ts > has a key, however its migration is read",
  },
  {
    ...stock,
    name: "in Lua",
    file: "add.lua",
    find: "INCRBY",
    replace: "SET",
    killedBy: "stock.fixture.ts > is added to by a script",
  },
  { ...stock, name: "proves nothing", killedBy: "stock.fixture.ts > fails with and without a defect" },
  { ...stock, name: "names no test", killedBy: "stock.fixture.ts > gives more than it has" },
];

describe("planted mutants", () => {
  let report: MutantReport;
  const before = contents();
  beforeAll(async () => {
    const program = path.join(fixtures, "plants-mutants.ts");
    const args = ["--conditions=sluice-source", program, JSON.stringify(list)];
    const env = { ...process.env, SLUICE_MUTANTS_TEST: marker };
    const { stdout } = await execute(process.execPath, args, { env });
    report = JSON.parse(stdout) as MutantReport;
  });

  function resultOf(name: string): MutantResult | undefined {
    return report.results.find(({ mutant }) => mutant.name === name);
  }

  it("are reported in their order, with an exit code", () => {
    expect(report.results.map(({ mutant }) => mutant)).toEqual(list);
    expect(report.exitCode).toBe(1);
  });

  it.each(["takes one too many", "after those that hang", "in a program of its own", "in SQL", "in Lua"])(
    "are killed by the test that they name: %s",
    (name) => {
      const result = resultOf(name);
      expect(result).toMatchObject({ outcome: "killed", noticed: true });
      expect(result?.detail).toContain(`${result?.mutant.killedBy} failed: `);
    },
  );

  it.each(["waits for itself", "loops for ever", "never ends a program"])(
    "are ended by their deadline when a defect hangs its test: %s",
    (name) => {
      const result = resultOf(name);
      expect(result).toMatchObject({ outcome: "hung", noticed: true });
      const [, deadlineMs] = /was ended by its deadline of (\d+) ms/.exec(result?.detail ?? "") ?? [];
      expect(Number(deadlineMs)).toBeGreaterThan(4000);
      // With the run without it, and the end of what hangs.
      expect(result?.tookMs).toBeLessThan(1.5 * Number(deadlineMs) + 20_000);
    },
  );

  it("survive when their test passes", () => {
    expect(resultOf("is not noticed")).toMatchObject({ outcome: "survived", noticed: false });
  });

  it("are not as they should be when another test notices", () => {
    const result = resultOf("is noticed elsewhere");
    expect(result).toMatchObject({ outcome: "killed-by-another", noticed: false });
    expect(result?.detail).toContain("gives something passed, but a stock > gives what is wanted: expected 2 to be 1");
  });

  it("prove nothing when their test is not there, or fails without them", () => {
    for (const name of ["proves nothing", "names no test"]) {
      expect(resultOf(name)).toMatchObject({ outcome: "unproven", noticed: false });
    }
    expect(resultOf("names no test")?.detail).toContain("there is no such test");
  });

  it("leave every file as it is, and no program that a test has started", () => {
    expect(contents()).toEqual(before);
    expect(environments().filter((each) => each.includes(`SLUICE_MUTANTS_TEST=${marker}`))).toEqual([]);
  });
});

describe("a list of mutants", () => {
  it.each([
    { wrong: "a text that is gone", mutant: { find: "stock * wanted" }, problem: "occurs 0 times" },
    { wrong: "an ambiguous text", mutant: { find: "wanted" }, problem: "occurs 3 times" },
    { wrong: "an empty text", mutant: { find: "" }, problem: "occurs 0 times" },
    { wrong: "a patch that changes nothing", mutant: { replace: stock.find }, problem: "a text by itself" },
    { wrong: "a file that is not there", mutant: { file: "stocks.ts" }, problem: "stocks.ts is not there" },
    { wrong: "a file outside of the root", mutant: { file: "../plants-mutants.ts" }, problem: "is not there" },
    { wrong: "a test file that is not there", mutant: { killedBy: "stock.test.ts > gives" }, problem: "its test file" },
    { wrong: "no title", mutant: { killedBy: "stock.fixture.ts" }, problem: '"file > title"' },
    { wrong: "no reason", mutant: { reason: " " }, problem: "nobody says" },
  ])("is refused with $wrong, before anything runs", async ({ mutant, problem }) => {
    const refused = runMutants([stock, { ...stock, name: "other", ...mutant }], { root });
    await expect(refused).rejects.toMatchObject({ code: "ERR_SLUICE_MUTANT_INVALID" });
    await expect(refused).rejects.toThrow(`"other": `);
    await expect(refused).rejects.toThrow(problem);
  });

  it("plants nothing in a file that was changed since, and every character as it is written", () => {
    expect(() => planted({ ...stock, find: "stock * wanted" }, root)).toThrow("occurs 0 times");
    expect(planted({ ...stock, replace: "$& + $1" }, root)).toContain("? stock : $& + $1;");
  });

  it("is refused with a name given twice, and with numbers that are none", async () => {
    expect(() => checkMutants([stock, { ...stock }], root)).toThrow("more than once");
    await expect(runMutants([stock], { root, deadlineMs: 0 })).rejects.toMatchObject({ argument: "deadlineMs" });
    await expect(runMutants([stock], { root, concurrency: 1.5 })).rejects.toMatchObject({ argument: "concurrency" });
    expect(await runMutants([], { root })).toEqual({ results: [], exitCode: 0 });
  });
});

function contents(): Record<string, string> {
  const files = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(path.join(root, name), "utf8")]));
}

function environments(): string[] {
  const pids = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return pids.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8");
    } catch {
      // It has ended meanwhile.
      return "";
    }
  });
}
