import { beforeAll, describe, expect, it } from "vitest";

import { runTests } from "./run-tests.ts";

describe("a run with failures", () => {
  let run: { status: number; text: string };
  beforeAll(() => {
    run = runTests("failing");
  });

  it("names the seed in every failure, once", () => {
    const failures = run.text.split(/^ FAIL /m).slice(1);
    expect(failures).toHaveLength(3);
    for (const failure of failures) expect(failure.match(/Replay with SLUICE_SEED=77/g)).toHaveLength(1);
    expect(run.text).toContain("the hook failed");
  });

  it("keeps the difference that an assertion found", () => {
    expect(run.text).toMatch(/- {3}"stock": 2,\s+\+ {3}"stock": 1,/);
    expect(run.text).toMatch(/LawBrokenError: Expected values to be strictly equal:/);
  });

  it("ends with seed, servers and time", () => {
    const summary = run.text.slice(run.text.indexOf("       Seed"));
    expect(summary).toContain("Seed  SLUICE_SEED=77");
    expect(summary).toContain("Services  postgres 18.4 (npm)\n             redis 8.0.0 (npm, a stand-in)");
    expect(summary).toMatch(/Time {2}\S+ \d+\.\d s of 40 s\n +in all \d+\.\d s/);
    expect(run.status).toBe(1);
  });
});

describe("a suite that was left out", () => {
  it("is named with the reason, in a run that passes", () => {
    const { status, text } = runTests("passing");
    expect(text).toContain("passing.fixture.ts > tracking: needs a real redis, has 8.0.0 of origin npm");
    expect(text).toContain(
      "passing.fixture.ts > a pooler: needs the program no-such-pooler, which is not installed; " +
        "needs the program no-such-redis or no-such-valkey, which is not installed",
    );
    expect(text).toContain("a shell is installed");
    expect(text).not.toContain("> a shell: needs");
    expect(status).toBe(0);
  });

  it("stands beside a table of the faults that tests have measured", () => {
    const { text } = runTests("passing");
    expect(text).toContain(
      [
        "     Faults  fault              | added latency | recovery | errors surfaced",
        "             Redis refused      |          1 ms |  1040 ms | ERR_A (refused), ERR_B",
        "             PostgreSQL lagging |          0 ms |     4 ms | none",
      ].join("\n"),
    );
  });

  it("fails the run when it must not be left out", () => {
    const { status, text } = runTests("passing", { SLUICE_LEFT_OUT: "fail" });
    expect(text).toContain("Suites were left out.");
    expect(status).toBe(1);
  });
});
