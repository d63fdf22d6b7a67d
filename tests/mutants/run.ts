// Plants defects and reports which ones the tests noticed: `npm run mutants -- [words of a name]`.
// Exits with 1 if one survives. `--every-run` leaves the thorough ones out, and their tests' own runs.
import path from "node:path";
import { parseArgs } from "node:util";

import { runMutants, type MutantResult } from "@sluice/testing/mutants";

import { generateScripts } from "../../tools/lua/generate.ts";
import { root } from "../repository/workspace.ts";
import { everyRun, mutants } from "./list.ts";

const { values, positionals } = parseArgs({ options: { "every-run": { type: "boolean" } }, allowPositionals: true });
const wanted = positionals.join(" ");
const chosen = (values["every-run"] ? everyRun : mutants).filter(({ name }) => name.includes(wanted));

/** A script runs from the module that is generated from all Lua files of its folder. */
function generated(file: string, source: string): Record<string, string> {
  if (!file.endsWith(".lua")) return {};
  const [folder, planted] = [path.join(root, file.split("/", 1)[0] ?? ""), path.join(root, file)];
  const { modules } = generateScripts(folder, (each) => (each === planted ? source : undefined));
  const before = new Set(generateScripts(folder).modules.map(({ text }) => text));
  const changed = modules.filter(({ text }) => !before.has(text));
  return Object.fromEntries(changed.map((module) => [path.relative(root, module.file), module.text]));
}

function print({ mutant, outcome, noticed, detail, tookMs }: MutantResult): void {
  const seconds = `${(tookMs / 1000).toFixed(1)} s`.padStart(6);
  const explained = outcome === "killed" ? "" : `: ${detail}`;
  console.log(`${(noticed ? outcome : outcome.toUpperCase()).padEnd(17)} ${seconds}  ${mutant.name}${explained}`);
}

const { results, exitCode } = await runMutants(chosen, {
  root,
  control: !values["every-run"],
  derived: generated,
  // Threads start sooner. A test that waits for what a defect keeps from happening need not wait for long, but longer
  // than a busy machine takes.
  vitest: { project: ["unit", "integration"], pool: "threads", testTimeout: 20_000 },
  deadlineMs: 60_000,
  onResult: print,
});
const noticed = results.filter((result) => result.noticed).length;
console.log(`${noticed} of ${chosen.length} planted defects killed`);
process.exit(chosen.length > 0 ? exitCode : 1);
