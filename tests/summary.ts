import path from "node:path";

import { testSeed } from "@sluice/testing";
import type { ServiceFacts } from "@sluice/testing/services";
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from "vitest/node";

// Under 180 s on two idle cores. The rest is for a noisy machine.
const budgetSeconds = 300;

interface Failure {
  message: string;
}

/**
 * Puts the seed into the message of every failure, and closes a run with what it rests on: the seed, the servers, the
 * suites that were left out, and the time. A run over its time budget fails; with `SLUICE_LEFT_OUT=fail` so does one
 * that left a suite out. Must come before the reporters that print failures.
 */
export default class Summary implements Reporter {
  #vitest: Vitest | undefined;
  #startedMs = 0;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    // Before the workers start: they inherit the environment, and the seed with it.
    testSeed();
  }

  onTestRunStart(): void {
    this.#startedMs = performance.now();
  }

  async onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): Promise<void> {
    for (const failure of new Set([...unhandled, ...modules.flatMap(failuresIn)])) nameSeed(failure);
    // The other reporters get the same call: what they print comes first.
    await Promise.resolve();
    const tookSeconds = (performance.now() - this.#startedMs) / 1000;
    const leftOut = modules.flatMap(leftOutOf);
    this.#print("Seed", [`SLUICE_SEED=${testSeed()}`]);
    this.#print("Services", this.#services());
    this.#print("Left out", leftOut.length > 0 ? leftOut : ["no suite left out"]);
    this.#print("Time", [...times(modules), `in all ${tookSeconds.toFixed(1)} s of ${budgetSeconds} s`]);
    if (leftOut.length > 0 && process.env["SLUICE_LEFT_OUT"] === "fail") this.#fail("Suites were left out.");
    if (tookSeconds > budgetSeconds && !this.#vitest?.config.watch) this.#fail("The run was over its time budget.");
  }

  #services(): string[] {
    const provided = (this.#vitest?.projects ?? []).flatMap((project) => {
      const facts: readonly ServiceFacts[] | undefined = project.getProvidedContext().sluiceServices;
      return facts ?? [];
    });
    const lines = provided.map(({ name, version, origin, real, passed }) => {
      const standIn = real ? "" : ", a stand-in";
      return `${name} ${version} (${origin}${standIn})${passed.map((reason) => `; not ${reason}`).join("")}`;
    });
    return lines.length > 0 ? [...new Set(lines)] : ["none started"];
  }

  #print(title: string, lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      this.#vitest?.logger.log(`${(index === 0 ? title : "").padStart(11)}  ${line.replaceAll(/\s+/g, " ")}`);
    }
  }

  #fail(reason: string): void {
    this.#vitest?.logger.error(`\n${reason}`);
    process.exitCode = 1;
  }
}

function failuresIn(module: TestModule): Failure[] {
  const suites = [...module.children.allSuites()].flatMap((suite) => suite.errors());
  return [...module.errors(), ...suites, ...[...module.children.allTests()].flatMap(failuresOf)];
}

function failuresOf(test: TestCase): Failure[] {
  return [...(test.result().errors ?? []), ...test.attempts().flatMap((attempt) => attempt.errors ?? [])];
}

function nameSeed(failure: Failure): void {
  const hint = `SLUICE_SEED=${testSeed()}`;
  if (!failure.message.includes(hint)) failure.message += `\n\nReplay with ${hint}`;
}

function leftOutOf(module: TestModule): string[] {
  const reasons = [...module.children.allSuites()].flatMap((suite: TestSuite) => {
    const reason = suite.meta().sluiceLeftOut;
    return reason === undefined ? [] : [`${module.relativeModuleId} > ${suite.fullName}: ${reason}`];
  });
  return reasons;
}

/** One line for each project: the time of its test files, by the folder that they belong to. */
function times(modules: readonly TestModule[]): string[] {
  const projects = Map.groupBy(modules, ({ project }) => project.name);
  return [...projects].map(([project, files]) => {
    const groups = Map.groupBy(files, groupOf);
    const parts = [...groups].map(([group, members]) => `${group} ${seconds(members)}`);
    return `${project} ${seconds(files)}: ${parts.toSorted().join(", ")}`;
  });
}

function groupOf({ moduleId, project }: TestModule): string {
  const [first = "", second = ""] = path.relative(project.config.root, moduleId).split(path.sep);
  return first === "packages" ? second : `${first}/${second}`;
}

function seconds(modules: readonly TestModule[]): string {
  const ms = modules.reduce((sum, module) => {
    const { duration, collectDuration } = module.diagnostic();
    return sum + duration + collectDuration;
  }, 0);
  return `${(ms / 1000).toFixed(1)} s`;
}
