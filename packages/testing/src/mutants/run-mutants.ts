import { availableParallelism } from "node:os";
import path from "node:path";

import { InvalidArgumentError, systemClock } from "@sluice/core";
import type { CliOptions } from "vitest/node";

import { createLane, type Lane, type LaneRun } from "./lane.ts";
import { checkMutants, InvalidMutantsError, killerOf, planted, type Mutant } from "./mutant.ts";
import { endingOf, type Ending, type FailedTest } from "./verdict.ts";

/**
 * What became of a mutant: `killed` by the test that it names, `hung` when that test had to be ended by its deadline,
 * `killed-by-another` test of the same file, `survived`, or `unproven` where its test does not pass without it either,
 * or its file was changed during the run. `killed` and `hung` are as they should be.
 */
export type MutantOutcome = "killed" | "hung" | "killed-by-another" | "survived" | "unproven";

/** What became of one mutant. */
export interface MutantResult {
  /** As it was given. */
  readonly mutant: Mutant;
  /** What became of it. */
  readonly outcome: MutantOutcome;
  /** Whether its test noticed it: `killed` or `hung`. */
  readonly noticed: boolean;
  /** A sentence that says why, such as with which message its test failed. */
  readonly detail: string;
  /** How long its runs took, in ms. */
  readonly tookMs: number;
}

/** How {@link runMutants} runs. */
export interface RunMutantsOptions {
  /** The folder that the files are relative to, and where Vitest finds its configuration. Default: the current one. */
  readonly root?: string;
  /**
   * How much longer than twice its time without the mutant a test may run, in ms; its longest time where there is no
   * such time, because `control` is off. A run without a mutant may take ten times this. Default 30 000.
   */
  readonly deadlineMs?: number;
  /** How many mutants run at once, each in a Vitest of its own. Default: the number of processors. */
  readonly concurrency?: number;
  /** Whether each test first runs without a mutant, once. Default `true`; `false` where it has just passed anyway. */
  readonly control?: boolean;
  /** What else changes with a file, by path relative to the root: for Lua, the module that is generated from it. */
  readonly derived?: (file: string, source: string) => Readonly<Record<string, string>>;
  /** Options of Vitest beyond those of its configuration, such as `{ testTimeout: 5000 }`. */
  readonly vitest?: CliOptions;
  /** Called with each result as it comes. */
  readonly onResult?: (result: MutantResult) => void;
}

/** What {@link runMutants} has found. */
export interface MutantReport {
  /** In the order in which they were given. */
  readonly results: readonly MutantResult[];
  /** 0 when every mutant was noticed, else 1: for `process.exitCode`. */
  readonly exitCode: 0 | 1;
}

/**
 * Plants mutants, one after the other, and runs for each the test that must fail. Where that one passes, the rest of
 * its file runs, too, to tell whether another test notices.
 *
 * No file is written: the modules of a test get the planted text from Vitest, and what a test or a Node process that
 * it starts reads from disk as a whole (`readFile`, `readFileSync`) or loads as a module is replaced on its way. So
 * TypeScript, Lua and SQL are all planted alike. Projects of a workspace must extend its root (`extends: true`).
 *
 * A run that is not over at its deadline is over ten seconds later. The whole takes up to four runs for each mutant. Needs the
 * package `vitest`.
 *
 * @throws `ERR_SLUICE_MUTANT_INVALID` before anything runs, when a mutant does not apply: see {@link checkMutants}.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a `deadlineMs` or a `concurrency` that is not a whole number above 0.
 */
export async function runMutants(mutants: readonly Mutant[], options: RunMutantsOptions = {}): Promise<MutantReport> {
  const { concurrency = availableParallelism(), deadlineMs = 30_000, onResult } = options;
  const root = path.resolve(options.root ?? ".");
  refuseUnlessPositive("concurrency", concurrency);
  refuseUnlessPositive("deadlineMs", deadlineMs);
  checkMutants(mutants, root);
  const results = new Map<Mutant, MutantResult>();
  const controls = options.control === false ? undefined : new Map<string, Promise<Control>>();
  const waiting = mutants.values();
  const exitCode = process.exitCode;
  const lanes = Array.from({ length: Math.min(concurrency, mutants.length) }, async () => {
    await using lane = createLane(root, options.vitest ?? {});
    const trial: Trial = { lane, root, deadlineMs, controls, derived: options.derived ?? (() => ({})) };
    for (const mutant of waiting) {
      const result = await tryOut(mutant, trial);
      results.set(mutant, result);
      onResult?.(result);
    }
  });
  await Promise.all(lanes);
  // Vitest takes a test that fails for a failure of this process.
  process.exitCode = exitCode;
  const all = mutants.flatMap((mutant) => results.get(mutant) ?? []);
  return { results: all, exitCode: all.every(({ noticed }) => noticed) ? 0 : 1 };
}

/** A run without a mutant. */
interface Control {
  readonly ending: Ending;
  readonly tookMs: number;
}

interface Trial {
  readonly lane: Lane;
  readonly root: string;
  readonly deadlineMs: number;
  /** How the tests ended without a mutant, or `undefined` where that is not asked. */
  readonly controls: Map<string, Promise<Control>> | undefined;
  readonly derived: NonNullable<RunMutantsOptions["derived"]>;
}

async function tryOut(mutant: Mutant, trial: Trial): Promise<MutantResult> {
  const startedMs = systemClock.monotonic();
  const [outcome, detail] = await judge(mutant, trial).catch((error: unknown): Verdict => {
    if (error instanceof InvalidMutantsError) return ["unproven", error.problems.join("; ")];
    throw error;
  });
  const noticed = outcome === "killed" || outcome === "hung";
  return { mutant, outcome, noticed, detail, tookMs: systemClock.monotonic() - startedMs };
}

// Times a mutant's deadline. Nothing is expected to hang without one.
const longestControl = 10;

type Verdict = readonly [outcome: MutantOutcome, detail: string];

async function judge(mutant: Mutant, { lane, root, deadlineMs, controls, derived }: Trial): Promise<Verdict> {
  const test = killerOf(mutant);
  const run = async (what: Tested, texts: Texts, limitMs: number): Promise<Ending> =>
    endingOf(await lane.run({ test: what, texts, deadlineMs: limitMs }));
  const without = async (key: string, what: Tested): Promise<Control | undefined> => {
    const control = controls?.get(key) ?? (controls && timed(run(what, new Map(), longestControl * deadlineMs)));
    if (control) controls?.set(key, control);
    return control;
  };
  const alone = await without(mutant.killedBy, test);
  if (alone && alone.ending.how !== "passed") return ["unproven", `without the mutant, ${said(mutant, alone.ending)}`];
  // What a busy machine slows down without a mutant it slows down with one, too.
  const limitMs = deadlineMs + Math.ceil(2 * (alone?.tookMs ?? 0));
  const texts = textsOf(mutant, root, derived);
  const ending = await run(test, texts, limitMs);
  if (ending.how === "failed") return ["killed", said(mutant, ending)];
  if (ending.how === "late") return ["hung", `${said(mutant, ending)} of ${limitMs} ms`];
  const file = { file: test.file };
  const all = ending.how === "passed" ? await run(file, texts, limitMs) : ending;
  const others = all.how === "failed" ? newIn(all.tests, (await without(test.file, file))?.ending) : [];
  if (others.some(({ name }) => name.endsWith(test.title))) {
    return ["survived", `${said(mutant, ending)} alone, and failed among the others of its file`];
  }
  if (others.length > 0) return ["killed-by-another", `${said(mutant, ending)}, but ${others.map(line).join("; ")}`];
  return ["survived", said(mutant, ending)];
}

async function timed(run: Promise<Ending>): Promise<Control> {
  const startedMs = systemClock.monotonic();
  const ending = await run;
  return { ending, tookMs: systemClock.monotonic() - startedMs };
}

type Tested = LaneRun["test"];
type Texts = LaneRun["texts"];

/** The planted file and what follows from it, by absolute path. */
function textsOf(mutant: Mutant, root: string, derived: Trial["derived"]): Texts {
  const source = planted(mutant, root);
  const files = Object.entries({ ...derived(mutant.file, source), [mutant.file]: source });
  return new Map(files.map(([file, text]) => [path.resolve(root, file), text]));
}

function newIn(failed: readonly FailedTest[], before: Ending | undefined): readonly FailedTest[] {
  const known = new Set(before?.how === "failed" ? before.tests.map(({ name }) => name) : []);
  return failed.filter(({ name }) => !known.has(name));
}

function line({ name, message }: FailedTest): string {
  return `${name}: ${message}`;
}

function said({ killedBy }: Mutant, ending: Ending): string {
  if (ending.how === "failed") return `${killedBy} failed: ${ending.tests.map(({ message }) => message).join("; ")}`;
  if (ending.how === "absent") return `${killedBy}: ${ending.why}`;
  return ending.how === "passed" ? `${killedBy} passed` : `${killedBy} was ended by its deadline`;
}

function refuseUnlessPositive(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new InvalidArgumentError(name, "a whole number above 0", value);
}
