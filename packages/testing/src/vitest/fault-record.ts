import { TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** The faults that this test has measured. */
    sluiceFaults?: readonly MeasuredFault[];
  }
}

/** What a fault did to those who called through it. */
export interface MeasuredFault {
  /** What was done, such as `"Redis frozen"`. */
  readonly fault: string;
  /** What the slowest call took longer than usual, in ms. */
  readonly addedLatencyMs: number;
  /** From the end of the fault to the first call that worked, in ms. */
  readonly recoveryMs: number;
  /** What callers saw: error codes, with a reason where there is one. Each once. */
  readonly errors: readonly string[];
}

/**
 * Keeps what a test has measured in its metadata as `sluiceFaults`, for a reporter to make a table of.
 *
 * @throws `Error` outside of a test.
 */
export function recordFault(measured: MeasuredFault): void {
  const test = TestRunner.getCurrentTest();
  if (!test) throw new Error("recordFault() belongs into a test: its metadata is where the measurement is kept.");
  const { meta } = test;
  meta.sluiceFaults = [...(meta.sluiceFaults ?? []), measured];
}
