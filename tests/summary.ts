import os from "node:os";
import path from "node:path";

import { testSeed } from "@sluice/testing";
import type { ServiceFacts } from "@sluice/testing/services";
import type { MeasuredFault } from "@sluice/testing/vitest";
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from "vitest/node";

import { faultTable } from "./fault-table.ts";
import { timeShares, type TimedFile, type TimeShare } from "./time-budget.ts";

interface Failure {
  message: string;
}

/**
 * Puts the seed into the message of every failure, and closes a run with what it rests on: the seed, the servers, the
 * suites that were left out, the faults that were measured, and the time. A run fails when a group of its files was over its time budget, and with
 * `SLUICE_LEFT_OUT=fail` when a suite was left out. Must come before the reporters that print failures.
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
    const faults = modules.flatMap(faultsIn);
    if (faults.length > 0) this.#print("Faults", faultTable(faults));
    const shares = timeShares(modules.map(timed), tookSeconds);
    this.#print("Time", [...shares.map(described), `in all ${tookSeconds.toFixed(1)} s`]);
    if (leftOut.length > 0 && process.env["SLUICE_LEFT_OUT"] === "fail") this.#fail("Suites were left out.");
    if (!this.#vitest?.config.watch) this.#judge(shares);
  }

  #services(): string[] {
    const provided = (this.#vitest?.projects ?? []).flatMap((project) => {
      const facts: readonly ServiceFacts[] | undefined = project.getProvidedContext().sluiceServices;
      return facts ?? [];
    });
    const lines = provided.map(({ name, version, origin, real, passed }) => {
      const standIn = real ? "" : ", a stand-in";
      return oneLine(`${name} ${version} (${origin}${standIn})${passed.map((reason) => `; not ${reason}`).join("")}`);
    });
    return lines.length > 0 ? [...new Set(lines)] : ["none started"];
  }

  #print(title: string, lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      this.#vitest?.logger.log(`${(index === 0 ? title : "").padStart(11)}  ${line}`);
    }
  }

  #judge(shares: readonly TimeShare[]): void {
    for (const share of shares) {
      if (share.seconds <= share.budgetSeconds) continue;
      const problem = `Over the time budget: ${described(share)}.`;
      if (isShared()) this.#vitest?.logger.error(`\n${problem} Others use this machine, so that does not count.`);
      else this.#fail(problem);
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
    return reason === undefined ? [] : [oneLine(`${module.relativeModuleId} > ${suite.fullName}: ${reason}`)];
  });
  return reasons;
}

function faultsIn(module: TestModule): MeasuredFault[] {
  return [...module.children.allTests()].flatMap((test) => test.meta().sluiceFaults ?? []);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

function timed(module: TestModule): TimedFile {
  const [first = "", second = ""] = path.relative(module.project.config.root, module.moduleId).split(path.sep);
  const { duration, collectDuration } = module.diagnostic();
  return { folder: first === "packages" ? second : `${first}/${second}`, ms: duration + collectDuration };
}

// A run has three workers, and each of them at most a server or two that works at the same time.
const mostLoadPerCore = 3;

/** Whether others keep the machine busy: the budgets are for cores that are the run's own. */
function isShared(): boolean {
  const [load = 0] = os.loadavg();
  return load > mostLoadPerCore * os.availableParallelism();
}

function described({ name, seconds, budgetSeconds }: TimeShare): string {
  return `${name} ${seconds.toFixed(1)} s of ${budgetSeconds} s`;
}
