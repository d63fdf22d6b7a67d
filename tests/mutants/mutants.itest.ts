import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { service } from "@sluice/testing/vitest";
import { describe, expect, it } from "vitest";

import { root } from "../repository/workspace.ts";
import { everyRun } from "./list.ts";

const run = promisify(execFile);

describe("planted defects", () => {
  it("are all killed by the tests that name them", { timeout: 240_000 }, async () => {
    // Their tests use the servers of this run.
    const env = { ...process.env, DATABASE_URL: service("postgres").url, REDIS_URL: service("redis").url };
    const script = path.join(root, "tests/mutants/run.ts");
    const args = ["--conditions=sluice-source", script, "--every-run"];
    // A survivor ends it with 1; which one it was is in what it printed.
    const { stdout } = await run(process.execPath, args, { cwd: root, env }).catch(outputOf);
    console.log(stdout);
    expect(stdout).toContain(`${everyRun.length} of ${everyRun.length} planted defects killed`);
  });
});

function outputOf(error: Error & { readonly stdout?: string }): { readonly stdout: string } {
  if (!error.stdout) throw error;
  return { stdout: error.stdout };
}
