import { describe, expect, it } from "vitest";

import { groupOf, timeShares } from "../time-budget.ts";

describe("the time budget of a run", () => {
  it("gives a package that is on no list the budget of a primitive", () => {
    expect(groupOf("redis").name).toBe("foundations");
    expect(groupOf("tests/adapters").name).toBe("adapters");
    expect(groupOf("examples/marketplace").name).toBe("examples");
    expect(groupOf("token-jar")).toEqual({ name: "token-jar", budgetSeconds: 40 });
  });

  it("divides the run's own time among the groups, whatever ran side by side", () => {
    const files = [
      { folder: "redis", ms: 60_000 },
      { folder: "core", ms: 30_000 },
      { folder: "tests/docs", ms: 90_000 },
    ];
    const shares = timeShares(files, 100);
    expect(shares.map(({ name, seconds }) => [name, Math.round(seconds)])).toEqual([
      ["foundations", 50],
      ["docs and tarballs", 50],
    ]);
  });

  it("takes a run without files for one that took no time", () => {
    expect(timeShares([], 3)).toEqual([]);
    expect(timeShares([{ folder: "core", ms: 0 }], 3)[0]?.seconds).toBe(0);
  });
});
