import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { SluiceError } from "@sluice/core";

/** A plausible bug, planted by replacing one piece of a source file while a test runs that must notice it. */
export interface Mutant {
  /** What is broken, in a few words. No two mutants of a list have the same name. */
  readonly name: string;
  /** The file in TypeScript, Lua or SQL, relative to the root. */
  readonly file: string;
  /** The text to replace. It occurs exactly once in the file. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
  /** The test that must fail: its file, relative to the root, and its title, as `"file > title"`. */
  readonly killedBy: string;
  /** How somebody could come to write this. */
  readonly reason: string;
}

/** A list of mutants that cannot be planted, or not as it says. Nothing was run. */
export class InvalidMutantsError extends SluiceError {
  override readonly code = "ERR_SLUICE_MUTANT_INVALID";
  /** A sentence for each thing that is wrong. */
  readonly problems: readonly string[];

  /** @param problems - A sentence for each thing that is wrong. */
  constructor(problems: readonly string[]) {
    super(`These mutants cannot be planted:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** The test that must kill a mutant. */
export interface Killer {
  readonly file: string;
  readonly title: string;
}

/** The file and the title of the test that must fail. */
export function killerOf({ killedBy }: Pick<Mutant, "killedBy">): Killer {
  const [file = "", ...title] = killedBy.split(" > ");
  return { file, title: title.join(" > ") };
}

/**
 * The text of a mutant's file with the mutant in it.
 *
 * @throws `ERR_SLUICE_MUTANT_INVALID` when its text does not occur exactly once: somebody has just changed the file.
 */
export function planted(mutant: Mutant, root: string): string {
  const source = readFileSync(path.resolve(root, mutant.file), "utf8");
  const problems = occurrenceProblem(source, mutant);
  if (problems.length > 0) throw new InvalidMutantsError(problems);
  // Not replace(), which gives the characters after a $ a meaning.
  return source.split(mutant.find).join(mutant.replace);
}

/**
 * Refuses a list of which a mutant does not apply: a text that does not occur exactly once in its file, a patch that
 * changes nothing, a test file that is not there, a name that is given twice, no reason. Reads each file, runs nothing.
 *
 * @param root - The folder that the files of the mutants are relative to.
 * @throws `ERR_SLUICE_MUTANT_INVALID` with a sentence for each problem.
 */
export function checkMutants(mutants: readonly Mutant[], root: string): void {
  const twice = [...Map.groupBy(mutants, ({ name }) => name)].filter(([, same]) => same.length > 1);
  const problems = [
    ...twice.map(([name]) => `"${name}": the name is given more than once`),
    ...mutants.flatMap((mutant) => problemsOf(mutant, root).map((problem) => `"${mutant.name}": ${problem}`)),
  ];
  if (problems.length > 0) throw new InvalidMutantsError(problems);
}

function problemsOf(mutant: Mutant, root: string): string[] {
  const { file, find, replace, killedBy, reason } = mutant;
  const killer = killerOf(mutant);
  return [
    ...(find === replace ? ["it replaces a text by itself"] : []),
    ...(reason.trim() === "" ? ["nobody says how it comes to be written"] : []),
    ...(killer.title === "" ? [`killedBy must be "file > title", got "${killedBy}"`] : []),
    ...(isFile(root, killer.file) ? [] : [`its test file ${killer.file} is not there`]),
    ...(isFile(root, file)
      ? occurrenceProblem(readFileSync(path.resolve(root, file), "utf8"), mutant)
      : [`${file} is not there`]),
  ];
}

function occurrenceProblem(source: string, { file, find }: Mutant): string[] {
  const times = find === "" ? 0 : source.split(find).length - 1;
  if (times === 1) return [];
  return [`its text must occur exactly once in ${file}, and occurs ${times} times: has the source moved on?`];
}

function isFile(root: string, file: string): boolean {
  const absolute = path.resolve(root, file);
  return file !== "" && absolute.startsWith(path.resolve(root) + path.sep) && existsSync(absolute);
}
