import type { TestCase } from "vitest/node";

import type { LaneOutcome } from "./lane.ts";

/** A test that failed. */
export interface FailedTest {
  readonly name: string;
  /** The first line of its error. */
  readonly message: string;
}

/** How the run of a test ended. */
export type Ending =
  | { readonly how: "failed"; readonly tests: readonly FailedTest[] }
  | { readonly how: "passed" }
  | { readonly how: "late" }
  /** No test has run. */
  | { readonly how: "absent"; readonly why: string };

/** What a run of a lane says about the tests in it. */
export function endingOf(outcome: LaneOutcome): Ending {
  if (outcome === "late") return { how: "late" };
  if (outcome === undefined) return { how: "absent", why: "no project of Vitest runs its file" };
  const failed = [...outcome.children.allTests("failed")];
  if (failed.length > 0) return { how: "failed", tests: failed.map(described) };
  // A hook may well fail because the other tests of the file were left out.
  if ([...outcome.children.allTests("passed")].length > 0) return { how: "passed" };
  const suites = [...outcome.children.allSuites()].flatMap((suite) => suite.errors());
  const [error] = [...outcome.errors(), ...suites];
  const why = error
    ? `it did not get to run: ${firstLine(error.message)}`
    : "there is no such test, or it was left out";
  return { how: "absent", why };
}

function described(test: TestCase): FailedTest {
  const [error] = test.result().errors ?? [];
  return { name: test.fullName, message: firstLine(error?.message ?? "") };
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
