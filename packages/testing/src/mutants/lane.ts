import path from "node:path";

import { systemClock } from "@sluice/core";
import { type CliOptions, createVitest, type TestModule, type Vitest } from "vitest/node";

import { endThoseWith } from "./leftovers.ts";
import type { Killer } from "./mutant.ts";
import { createPlanting, type Planting } from "./planting.ts";

/** What a lane is to run. */
export interface LaneRun {
  /** The test, or all of its file. */
  readonly test: Killer | Pick<Killer, "file">;
  /** Texts by absolute path that the test sees instead of what is on disk. */
  readonly texts: ReadonlyMap<string, string>;
  readonly deadlineMs: number;
}

/** The module of the test after its run, `"late"` when it was ended by its deadline, or `undefined` without a project. */
export type LaneOutcome = TestModule | "late" | undefined;

/** One Vitest that runs one thing after the other. */
export interface Lane extends AsyncDisposable {
  run(what: LaneRun): Promise<LaneOutcome>;
}

// Ending the workers takes milliseconds. What takes longer is stuck where no worker is.
const cancelMs = 10_000;

/** Opens Vitest at the first run. It stays open between runs: what no mutant changes is transformed once. */
export function createLane(root: string, options: CliOptions): Lane {
  const planting = createPlanting();
  let opened: Promise<Vitest> | undefined;
  let before: readonly string[] = [];

  function open(): Promise<Vitest> {
    const own: CliOptions = { root, watch: false, cache: false, fsModuleCache: false, reporters: [{}] };
    return createVitest("test", { ...options, ...own }, { plugins: [planting.plugin] });
  }

  return {
    async run({ test, texts, deadlineMs }) {
      const vitest = await (opened ??= open());
      planting.set(texts);
      for (const file of [...before, ...texts.keys()]) vitest.invalidateFile(file);
      before = [...texts.keys()];
      const once = { file: path.resolve(root, test.file), test, deadlineMs, end: () => endAll(vitest, planting) };
      const outcome = await runOnce(vitest, once);
      if (outcome !== "stuck") return outcome;
      // It cannot be closed either.
      opened = undefined;
      return "late";
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.close();
      planting[Symbol.dispose]();
    },
  };
}

interface OneRun {
  readonly file: string;
  readonly test: LaneRun["test"];
  readonly deadlineMs: number;
  readonly end: () => Promise<void>;
}

async function runOnce(vitest: Vitest, { file, test, deadlineMs, end }: OneRun): Promise<LaneOutcome | "stuck"> {
  const project = vitest.projects.find((each) => each.matchesTestGlob(file));
  if (!project) return undefined;
  const named = "title" in test ? { testNamePattern: endingIn(test.title) } : {};
  const late = Promise.withResolvers<"stuck">();
  let ended: Promise<void> | undefined;
  const deadline = systemClock.schedule(deadlineMs, () => {
    ended = end();
    systemClock.schedule(cancelMs, () => late.resolve("stuck"), { background: true });
  });
  const ran = vitest.runTestSpecifications([project.createSpecification(file, named)]);
  const result = await Promise.race([ran, late.promise]);
  deadline.cancel();
  if (result === "stuck") return result;
  await ended;
  return ended ? "late" : result.testModules.find((module) => module.moduleId === file && module.project === project);
}

/** Ends the workers, also one that loops, and what they have started. */
async function endAll(vitest: Vitest, { environment }: Planting): Promise<void> {
  // The first asks them, and one that hangs does not listen. The second, while the first waits, terminates them.
  const ends = [vitest.cancelCurrentRun("test-failure"), vitest.cancelCurrentRun("test-failure")];
  await Promise.allSettled([...ends, endThoseWith(`SLUICE_PLANTED=${environment.SLUICE_PLANTED}`)]);
}

function endingIn(title: string): RegExp {
  return new RegExp(`${title.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`);
}
